import type {BatchName} from './batches.ts';
import {geometricMean, type Case, type Result} from './result.ts';

/** A figure that we want to reach, what this run found, and whether that is enough; null: this run can't tell. */
export type Target = {
  readonly figure: string;
  readonly wanted: string;
  readonly found: string;
  readonly isMet: boolean | null;
};

/** What scale factor 1 and 0.1 % changed should give. */
export function targets({cases, temporal}: Pick<Result, 'cases' | 'temporal'>): readonly Target[] {
  const over = (view: string, batch: BatchName, what: string, atLeast: number): Target =>
    ratio(`${what}: recomputation ÷ refresh`, atLeast, overRecomputation(cases, view, batch));
  return [
    over('total', 'inserts', 'one group, 0.1 % inserted', 1.5),
    over('total', 'deletes', 'one group, 0.1 % deleted', 1),
    over('suppliers', 'inserts', '10,000 groups, 0.1 % inserted', 1.5),
    over('suppliers', 'deletes', '10,000 groups, 0.1 % deleted', 1),
    over('shipping', 'inserts', 'join of three, 0.1 % inserted', 1.5),
    over('shipping', 'deletes', 'join of three, 0.1 % deleted', 1.5),
    over('shipping', 'updates', 'join of three, 0.1 % updated', 1.5),
    ratio('all, hand-written SQL ÷ refresh (geometric mean)', 1, meanOver(cases, 'hand')),
    atMost('outside of SQL, a small refresh by Temporal', 300, 'ms', temporal?.small.outsideSqlMs),
    atMost('outside of SQL, an idle tick', 100, 'ms', temporal?.idleTick.outsideSqlMs),
    atMost(
      'outside of SQL, share of a refresh of five seconds',
      5,
      '%',
      temporal ? (100 * temporal.heavy.outsideSqlMs) / temporal.heavy.ms : undefined,
    ),
  ];
}

/** How many times longer another way takes than the incremental refresh, over all of the cases. */
export function meanOver(cases: readonly Case[], way: 'recomputation' | 'hand'): number | undefined {
  return cases.length === 0 ? undefined : geometricMean(cases.map((each) => each[way].ms / each.incremental.ms));
}

function overRecomputation(cases: readonly Case[], view: string, batch: BatchName): number | undefined {
  return meanOver(
    cases.filter((each) => each.rate === 0.1 && each.view === view && each.batch === batch),
    'recomputation',
  );
}

function ratio(figure: string, atLeast: number, found: number | undefined): Target {
  return {figure, wanted: `≥ ${atLeast} ×`, ...judged(found, '×', 2, (value) => value >= atLeast)};
}

function atMost(figure: string, most: number, unit: string, found: number | undefined): Target {
  return {figure, wanted: `≤ ${most} ${unit}`, ...judged(found, unit, 0, (value) => value <= most)};
}

function judged(
  found: number | undefined,
  unit: string,
  digits: number,
  isEnough: (value: number) => boolean,
): Pick<Target, 'found' | 'isMet'> {
  if (found === undefined) return {found: 'not measured', isMet: null};
  return {found: `${found.toFixed(digits)} ${unit}`, isMet: isEnough(found)};
}
