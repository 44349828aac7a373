import type {RefreshResult, RefreshSummary} from '../../refresh/messages.ts';
import {bold, count, dim, duration, fields, indent, rowCount} from '../text.ts';

/** What a refresh did, for people. */
export function showRefresh(result: RefreshResult): string {
  const headline = `${bold(result.table)}: ${outcomeText(result)}`;
  return result.refresh === null ? headline : `${headline}\n${indent(showSummary(result.refresh))}`;
}

function outcomeText({outcome, dataVersion, refresh}: RefreshResult): string {
  switch (outcome) {
    case 'refreshed':
      return `${refresh?.action ?? 'refreshed'}, now at snapshot ${dataVersion}`;
    case 'no-data':
      return refresh === null || refresh.changedRows === 0
        ? `NO_DATA, nothing it reads has changed up to snapshot ${dataVersion}`
        : `NO_DATA, what has changed in its sources up to snapshot ${dataVersion} changes nothing in it`;
    case 'joined':
      return `another run has refreshed it to snapshot ${dataVersion}`;
    case 'ahead':
      return `already past the snapshot asked for, at ${dataVersion}`;
    case 'suspended':
      return 'suspended: its schedule does nothing until freshet resume';
    case 'superseded':
      return `given up: other refreshes kept moving its sources on; its contents stay as they were, at snapshot ${dataVersion}`;
  }
}

export function showSummary(summary: RefreshSummary): string {
  return fields(
    [
      ['reason', summary.reason ?? ''],
      ['changed rows', isAnew(summary.action) ? '' : changedRows(summary)],
      ['affected keys', isAnew(summary.action) ? '' : count(summary.affectedKeys)],
      [
        'written',
        `${count(summary.rowsDeleted)} deleted, ${count(summary.rowsInserted)} inserted; ${rowCount(summary.rows)} now`,
      ],
      ['read', `${rowCount(summary.rowsScanned)} of the lake`],
      ['time', phasesText(summary.phases)],
    ].filter((pair): pair is [string, string] => pair[1] !== ''),
  );
}

/** Whether it began from nothing: then no change was looked for. */
export function isAnew(action: RefreshSummary['action'] | null): boolean {
  return action === 'INITIAL' || action === 'REINITIALIZE';
}

function changedRows({changedRows: total, sources}: RefreshSummary): string {
  const changed = sources.filter((source) => source.changedRows > 0);
  if (changed.length === 0) return count(total);
  return `${count(total)} ${dim(`(${changed.map((source) => `${source.source} ${count(source.changedRows)}`).join(', ')})`)}`;
}

/** `1.2 s (look up 30 ms, extract 400 ms, …)`. */
export function phasesText(phases: Readonly<Record<string, number>>): string {
  const parts = Object.entries(phases).map(([phase, ms]) => `${phaseName(phase)} ${duration(ms)}`);
  return parts.length === 0 ? '' : `${duration(totalMs(phases))} ${dim(`(${parts.join(', ')})`)}`;
}

export function totalMs(phases: Readonly<Record<string, number>>): number {
  return Object.values(phases).reduce((sum, ms) => sum + ms, 0);
}

/** `lookUp` and `look-up` as `look up`. */
export function phaseName(phase: string): string {
  return phase.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replaceAll('-', ' ');
}
