import type {HistoryEntry} from '../../metadata/refresh.ts';
import {age, bad, count, duration, oneLine, table} from '../text.ts';
import {isAnew, totalMs} from './refresh.ts';

export function showHistory(entries: readonly HistoryEntry[], now: number): string {
  return entries.length === 0 ? 'No refresh yet.' : historyTable(entries, now, true);
}

/** Refreshes, a line each, the newest first. */
export function historyTable(entries: readonly HistoryEntry[], now: number, named = false): string {
  const right = {align: 'right'} as const;
  const columns = [
    ...[{title: 'when'}, ...(named ? [{title: 'table'}] : []), {title: 'trigger'}, {title: 'action'}],
    ...[
      {title: 'snapshot', ...right},
      {title: 'changed rows', ...right},
      {title: 'affected keys', ...right},
    ],
    ...[{title: 'rows', ...right}, {title: 'time', ...right}, {title: 'outside SQL', ...right}, {title: 'reason'}],
  ];
  return table(
    columns,
    entries.map((entry) => [
      `${age(now - Date.parse(entry.finishedAt))} ago`,
      ...(named ? [entry.table] : []),
      entry.trigger,
      actionText(entry),
      number(entry.dataVersion, String),
      number(isAnew(entry.action) ? null : entry.changedRows, count),
      number(isAnew(entry.action) ? null : entry.affectedKeys, count),
      number(entry.rows, count),
      duration(totalMs(entry.phases)),
      number(entry.shareOutsideSql, (share) => `${Math.round(share * 100)} %`),
      oneLine(entry.error ?? entry.reason ?? ''),
    ]),
  );
}

function actionText({action, errorCode, hasSuspended, ticks}: HistoryEntry): string {
  if (errorCode !== null) return bad(`failed (${errorCode})${hasSuspended ? ', suspended' : ''}`);
  return ticks > 1 ? `${action ?? ''} × ${ticks}` : (action ?? '');
}

function number(value: number | null, text: (value: number) => string): string {
  return value === null ? '' : text(value);
}
