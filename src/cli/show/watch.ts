import {parseLagSeconds} from '../../definition/target-lag.ts';
import type {TableNow} from '../../client.ts';
import {age, bad, count, good, table} from '../text.ts';
import {progressText} from './progress.ts';
import {lastText} from './tables.ts';

/** All dynamic tables as they are now, a line each. */
export function showWatch(tables: readonly TableNow[], now: number): string {
  if (tables.length === 0) return 'There is no dynamic table yet: see freshet create --help.';
  const right = {align: 'right'} as const;
  return table(
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
  );
}

/** The lines of the tables to which something has happened since `before`; all, when there is none. */
export function changedLines(
  before: readonly TableNow[] | null,
  tables: readonly TableNow[],
  now: number,
): readonly string[] {
  const events = new Map(before?.map((each) => [each.table, eventOf(each)]));
  const gone = (before ?? []).filter((each) => !tables.some((other) => other.table === each.table));
  const time = new Date(now).toISOString();
  return [
    ...tables.filter((each) => events.get(each.table) !== eventOf(each)).map((each) => `${time} ${lineOf(each)}`),
    ...gone.map((each) => `${time} ${each.table} dropped`),
  ];
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

function lagText({lagSeconds, targetLag}: TableNow): string {
  if (lagSeconds === null) return 'none yet';
  const text = age(lagSeconds * 1000);
  const target = parseLagSeconds(targetLag);
  return target !== null && lagSeconds > target ? bad(text) : text;
}
