import type {DynamicTable, DynamicTableDetails, Suspension} from '../../client.ts';
import {standardPriority} from '../../definition/definition.ts';
import type {HistoryEntry} from '../../metadata/refresh.ts';
import {age, bad, bold, count, fields, oneLine, rowCount, section, size, table} from '../text.ts';
import {columnsText, modeText} from './definition.ts';
import {historyTable} from './history.ts';

/** All dynamic tables, a line each. */
export function showTables(tables: readonly DynamicTable[]): string {
  if (tables.length === 0) return 'There is no dynamic table yet: see freshet create --help.';
  const right = {align: 'right'} as const;
  const hasPriorities = tables.some(({priority}) => priority !== standardPriority);
  return table(
    [
      ...[{title: 'table'}, {title: 'target lag'}, {title: 'fresh'}, {title: 'refreshes'}],
      ...(hasPriorities ? [{title: 'priority', ...right}] : []),
      ...[{title: 'rows', ...right}, {title: 'snapshot', ...right}, {title: 'last refresh'}],
    ],
    tables.map((each) => [
      each.state === 'active' ? each.table : `${each.table} (${each.state})`,
      each.targetLag,
      freshText(each),
      each.mode,
      ...(hasPriorities ? [String(each.priority)] : []),
      each.rows === null ? '' : count(each.rows),
      each.dataVersion === null ? '' : String(each.dataVersion),
      lastText(each.lastRefresh),
    ]),
  );
}

/** Everything there is to know about one. */
export function showTable(details: DynamicTableDetails, history: readonly HistoryEntry[], now: number): string {
  return [
    bold(details.table),
    fields(settings(details)),
    `Its ${modeText(details)}`,
    section('Columns', columnsText(details.columns)),
    section('Query', details.query.trim()),
    ...(history.length === 0 ? [] : [section('Last refreshes', historyTable(history, now))]),
  ].join('\n\n');
}

function settings(details: DynamicTableDetails): readonly (readonly [string, string])[] {
  return [
    ['state', stateText(details)],
    ...(details.suspension === null ? [] : [['suspended', suspensionText(details.suspension)] as const]),
    ...details.suspendedUpstreams.map(
      ({table: upstream, suspension}) => ['upstream suspended', `${upstream}: ${suspensionText(suspension)}`] as const,
    ),
    ['failures', details.failuresInARow === 0 ? '' : `${details.failuresInARow} scheduled ones in a row`],
    ['target lag', details.targetLag],
    ['fresh', freshText(details)],
    ['snapshot', details.dataVersion === null ? 'none yet' : String(details.dataVersion)],
    ['rows', details.rows === null ? 'none yet' : count(details.rows)],
    ['kept groups', groupsText(details.keptGroups)],
    ['refresh mode', details.refreshMode],
    ['initialize', details.initialize],
    ['threshold', String(details.cardinalityThreshold)],
    ['priority', String(details.priority)],
    ['sources', details.sources.join(', ')],
    ['read by', details.readers.join(', ')],
    ['schedule', scheduleText(details)],
    ['created', details.createdAt],
    ['comment', details.comment ?? ''],
  ].filter((pair): pair is [string, string] => pair[1] !== '');
}

function stateText({state, table: name, suspension}: DynamicTableDetails): string {
  if (suspension === null) return state;
  return `${bad(state)}, until freshet resume ${suspension.kind === 'upstream' ? suspension.table : name}`;
}

function groupsText(groups: DynamicTableDetails['keptGroups']): string {
  return groups === null ? '' : `${groups.table}: ${rowCount(groups.rows)}, ${size(groups.bytes)}`;
}

function scheduleText({schedule, table: name}: DynamicTableDetails): string {
  if (schedule === null) return bad(`missing in Temporal, until freshet resume ${name}`);
  if (schedule.paused) return `${schedule.id}, paused`;
  return [schedule.id, ...schedule.nextRuns.slice(0, 1).map((time) => `next at ${time}`)].join(', ');
}

function suspensionText(suspension: Suspension): string {
  switch (suspension.kind) {
    case 'failures':
      return `${suspension.since}, ${suspension.code}: ${oneLine(suspension.error)}`;
    case 'user':
      return `${suspension.since}, by hand`;
    case 'upstream':
      return `with ${suspension.table}, which it reads`;
    case 'schedule':
      return `in Temporal${suspension.note === null ? '' : `: ${oneLine(suspension.note)}`}`;
  }
}

function freshText({lagSeconds}: DynamicTable): string {
  return lagSeconds === null ? 'not yet' : `${age(lagSeconds * 1000)} ago`;
}

export function lastText(last: HistoryEntry | null): string {
  if (last === null) return '';
  return last.errorCode === null ? (last.action ?? '') : bad(`failed (${last.errorCode})`);
}
