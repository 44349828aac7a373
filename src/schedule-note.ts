import type {TargetLag} from './definition/definition.ts';
import {periodSeconds, targetLagText} from './definition/target-lag.ts';
import type {ErrorCode} from './errors.ts';
import {mostFailuresInARow} from './metadata/dynamic-table.ts';

/** What is shown on a schedule's page. */

export function scheduleNote(targetLag: TargetLag, mode: 'incremental' | 'full'): string {
  const period = periodText(periodSeconds(targetLag));
  const when =
    targetLag.kind === 'downstream'
      ? `refreshed when a table that reads it is; looked at every ${period} all the same`
      : `target lag ${targetLagText(targetLag)}: looked at every ${period}`;
  return `Dynamic table, ${when}; ${mode === 'full' ? 'recomputed' : 'refreshed incrementally'} when its data has changed.`;
}

/** An error may quote half of a query. */
const longestError = 1000;

export function suspensionNote(table: string, {error, code}: {error: string; code: ErrorCode}): string {
  const why = error.length > longestError ? `${error.slice(0, longestError)} …` : error;
  return `Suspended after ${mostFailuresInARow} failed refreshes in a row (${code}): ${why}\nfreshet resume ${table}`;
}

export function userSuspensionNote(table: string): string {
  return `Suspended by hand: freshet resume ${table}`;
}

/** A note that names its own table, of a table that is called otherwise now. */
export function renamedNote(note: string, from: string, to: string): string {
  const end = `freshet resume ${from}`;
  return note.endsWith(end) ? `${note.slice(0, -end.length)}freshet resume ${to}` : note;
}

const withUpstream = 'Suspended with a table below: ';

export function upstreamSuspensionNote(upstream: string): string {
  return `${withUpstream}freshet resume ${upstream}`;
}

/** Whether a paused schedule is one that goes on with an upstream table: somebody may have paused it for a reason of his own. */
export function isUpstreamSuspensionNote(note: string): boolean {
  return note.startsWith(withUpstream);
}

function periodText(seconds: number): string {
  return targetLagText({kind: 'seconds', seconds}).replace(/^1 /, '');
}
