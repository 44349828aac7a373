import {raw, sql} from '../sql.ts';
import type {Sql} from '../sql.ts';

/**
 * Two equalities. GROUP BY, EXCEPT ALL and joins hold 0.0 and −0.0 for equal, as they do 1 month and 30 days; a table shows
 * which of them it holds. Whole rows are therefore compared by identity: where a type's equality is coarser, its text joins in.
 */

/** Whether equal values of the type may look different: floats, intervals, whatever holds one, and times with an offset. */
export function hasCoarseEquality(type: string): boolean {
  return /\b(FLOAT|DOUBLE|REAL|INTERVAL|VARIANT|JSON|TIME WITH TIME ZONE|TIMETZ)\b/i.test(type);
}

/** What has to be equal (null-safe) for two values to be the same: the value, and its text where that says more. */
export function identityTerms(value: Sql, type: string): readonly Sql[] {
  return hasCoarseEquality(type) ? [value, sql`CAST(${value} AS ${raw('VARCHAR')})`] : [value];
}
