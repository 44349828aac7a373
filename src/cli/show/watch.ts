import {parseLagSeconds} from '../../definition/target-lag.ts';
import type {TableNow} from '../../client.ts';
import type {FreshetError} from '../../errors.ts';
import {age, bad, bold, count, dim, good, oneLine, unwrappedTable} from '../text.ts';
import {progressText} from './progress.ts';
import {lastText} from './tables.ts';

/** What was seen last, and when; null before the first look. `why` nothing was seen since, if so. */
export type Seen = {
  readonly tables: readonly TableNow[] | null;
  readonly at: number;
  readonly why: FreshetError | null;
};

/** A screen with all dynamic tables as they are now, a line each. Where they are too many, those that run or are late come first. */
export function showWatch({tables, at, why}: Seen, screenRows: number): readonly string[] {
  const away = why === null ? [] : [bad(oneLine(why.message)), dim('It is asked again and again.')];
  if (tables === null) return why === null ? ['Asking …'] : away;
  if (tables.length === 0) return [...away, 'There is no dynamic table yet: see freshet create --help.'];
  const room = screenRows - away.length - 3;
  const isCut = tables.length > room;
  const first = isCut ? tables.toSorted((one, other) => urgency(other) - urgency(one)) : tables;
  const rest = isCut ? [dim(`and ${tables.length - Math.max(0, room)} more`)] : [];
  return [summaryText(tables, at), ...away, ...tableText(first.slice(0, Math.max(0, room)), at), ...rest];
}

function summaryText(tables: readonly TableNow[], at: number): string {
  const [running, late] = [tables.filter(({running: run}) => run !== null).length, tables.filter(isLate).length];
  return [
    bold(tables.length === 1 ? '1 dynamic table' : `${count(tables.length)} dynamic tables`),
    `${running} running`,
    `${late} late`,
    dim(new Date(at).toTimeString().slice(0, 8)),
  ].join('  ');
}

function tableText(tables: readonly TableNow[], now: number): readonly string[] {
  const right = {align: 'right'} as const;
  return unwrappedTable(
    [
      ...[{title: 'table'}, {title: 'lag', ...right}, {title: 'target'}, {title: 'last refresh'}],
      ...[{title: 'rows', ...right}, {title: 'next run'}, {title: 'now'}],
    ],
    tables.map((each) => [
      each.state === 'active' ? each.table : `${each.table} (${each.state})`,
      lagText(each),
      each.targetLag,
      lastText(each.lastRefresh),
      each.rows === null ? '' : count(each.rows),
      each.nextRun === null ? 'none' : `in ${age(Date.parse(each.nextRun) - now)}`,
      each.running === null ? '' : good(progressText(each.running)),
    ]),
  ).split('\n');
}

function urgency(each: TableNow): number {
  return (each.running === null ? 0 : 2) + (isLate(each) ? 1 : 0);
}

/** Lines for what has happened since `before`; one for each table, when there is none. */
export type Changed = (
  before: readonly TableNow[] | null,
  tables: readonly TableNow[],
  now: number,
) => readonly string[];

/** For people. */
export const changedLines: Changed = (before, tables, now) => {
  const time = new Date(now).toISOString();
  const {changed, gone} = changes(before, tables);
  return [
    ...changed.map((each) => `${time} ${lineOf(each)}`),
    ...gone.map(({table: name}) => `${time} ${name} dropped`),
  ];
};

/** For programs: an object a line, `state` is `dropped` in the last one about a table. */
export const changedJson: Changed = (before, tables, now) => {
  const time = new Date(now).toISOString();
  const {changed, gone} = changes(before, tables);
  return [
    ...changed.map((each) => JSON.stringify({time, ...each})),
    ...gone.map(({table: name}) => JSON.stringify({time, table: name, state: 'dropped'})),
  ];
};

function changes(before: readonly TableNow[] | null, tables: readonly TableNow[]) {
  const events = new Map(before?.map((each) => [each.table, eventOf(each)]));
  return {
    changed: tables.filter((each) => events.get(each.table) !== eventOf(each)),
    gone: (before ?? []).filter((each) => !tables.some((other) => other.table === each.table)),
  };
}

/** What is worth a line when it changes, each tenth of a long statement too. A tick that finds nothing new once more is not. */
function eventOf({state, lastRefresh, running}: TableNow): string {
  const tenths = Math.floor((running?.statement?.percent ?? 0) / 10);
  return JSON.stringify([state, lastRefresh?.id, running?.phase, tenths]);
}

function lineOf(each: TableNow): string {
  return [
    `${each.table} ${each.state}`,
    `lag ${lagText(each)} of ${each.targetLag}`,
    each.lastRefresh === null ? 'not refreshed yet' : `last refresh ${lastText(each.lastRefresh)}`,
    ...(each.rows === null ? [] : [`rows ${each.rows}`]),
    ...(each.nextRun === null ? [] : [`next run ${each.nextRun}`]),
    ...(each.running === null ? [] : [`running ${progressText(each.running)}`]),
  ].join(', ');
}

function lagText(each: TableNow): string {
  if (each.lagSeconds === null) return 'none yet';
  const text = age(each.lagSeconds * 1000);
  return isLate(each) ? bad(text) : text;
}

function isLate({lagSeconds, targetLag}: TableNow): boolean {
  const target = parseLagSeconds(targetLag);
  return lagSeconds !== null && target !== null && lagSeconds > target;
}
