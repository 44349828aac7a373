import type {TargetLag} from './definition/definition.ts';
import {periodSeconds, targetLagText} from './definition/target-lag.ts';
import {mostFailuresInARow, type Suspension} from './metadata/dynamic-table.ts';

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

export function suspensionNote(table: string, {error, code}: Pick<Suspension, 'error' | 'code'>): string {
  const why = error.length > longestError ? `${error.slice(0, longestError)} …` : error;
  return `Suspended after ${mostFailuresInARow} failed refreshes in a row (${code}): ${why}\nfreshet resume ${table}`;
}

function periodText(seconds: number): string {
  return targetLagText({kind: 'seconds', seconds}).replace(/^1 /, '');
}
