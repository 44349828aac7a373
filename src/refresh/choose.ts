import type {Decision, Extraction, LookUp} from './messages.ts';

/**
 * The cheaper action, from the counts at hand. Pure.
 *
 * Cost is rows read. The incremental way reads what changed and, where it recomputes, the rows below the affected keys; FULL
 * reads every source whole. Nothing is divided by zero, and nothing by the few rows of a target: a total over a million rows
 * is not "100 % affected" because its one row changes. Snowflake and Databricks choose by cost too, without saying how.
 */
export function choose({forced}: Pick<LookUp & {kind: 'refresh'}, 'forced'>, extraction: Extraction): Decision {
  if (extraction.kind === 'untrusted') return fully('FULL', extraction.reason);
  const {sources, keys, threshold} = extraction;
  const changedRows = sum(sources.map(({inserted, deleted}) => inserted + deleted));
  const affectedKeys = sum(keys.map(({count}) => count));
  const ratio = readShare(extraction);
  const counts = {ratio, changedRows, affectedKeys};
  if (forced) return {...forced, ...counts};
  if (ratio !== null && ratio > threshold) {
    return {action: 'FULL', reason: {kind: 'cheaper', ratio, threshold}, ...counts};
  }
  return {action: changedRows === 0 ? 'NO_DATA' : 'INCREMENTAL', reason: null, ...counts};
}

/** Rows the incremental way reads ÷ rows that FULL reads, as far as they are counted; null over empty sources. */
export function readShare({sources, keys}: Pick<Extraction & {kind: 'staged'}, 'sources' | 'keys'>): number | null {
  const all = sum(sources.map(({rowsTo}) => rowsTo));
  if (all === 0) return null;
  const changed = sum(sources.map(({inserted, deleted}) => inserted + deleted));
  return (changed + sum(keys.map(({rowsBelow}) => rowsBelow))) / all;
}

function fully(action: 'FULL', reason: Decision['reason']): Decision {
  return {action, reason, ratio: null, changedRows: 0, affectedKeys: 0};
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
