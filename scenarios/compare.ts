import type {Difference, Row, Rows} from './outcome.ts';

export type Comparison = {
  /** Per column, whether it holds floats: their sums depend on the order of rows in the last bits. */
  readonly isFloat: readonly boolean[];
  /** Whether 0.0 and −0.0, and NaNs of both signs, may stand for one another, as where a group shows one of several equal keys. */
  readonly signsAreOne: boolean;
};

const shownRows = 5;

/**
 * Where a table's rows are not the query's, as multisets; null: nowhere. Values are compared by their texts, which tell apart
 * what SQL's equality does not (0.0 and −0.0, 1 month and 30 days), and independently of how the engine itself tells rows apart.
 */
export function compare(table: string, held: Rows, queried: Rows, comparison: Comparison): Difference | null {
  const [extra, missing] = subtractEqual(
    held.map((row) => plain(row, comparison)),
    queried.map((row) => plain(row, comparison)),
  );
  const left = [...missing];
  const unmatched = extra.filter((row) => {
    const near = left.findIndex((other) => isNear(row, other, comparison));
    if (near >= 0) left.splice(near, 1);
    return near < 0;
  });
  if (unmatched.length === 0 && left.length === 0) return null;
  return {table, missing: left.slice(0, shownRows), extra: unmatched.slice(0, shownRows)};
}

/** Both without what they have in common, copy by copy. */
function subtractEqual(some: Rows, others: Rows): [Row[], Row[]] {
  const counts = new Map<string, number>();
  for (const row of others) counts.set(JSON.stringify(row), (counts.get(JSON.stringify(row)) ?? 0) + 1);
  const take = (row: Row): boolean => {
    const key = JSON.stringify(row);
    const count = counts.get(key) ?? 0;
    if (count > 0) counts.set(key, count - 1);
    return count > 0;
  };
  const someLeft = some.filter((row) => !take(row));
  return [someLeft, [...others].reverse().filter(take)];
}

function plain(row: Row, {isFloat, signsAreOne}: Comparison): Row {
  return signsAreOne ? row.map((value, i) => (isFloat[i] && value !== null ? unsigned(value) : value)) : row;
}

/** A float as a text, without a sign that no comparison of numbers sees. */
export function unsigned(value: string): string {
  return value === '-0.0' || value === '-nan' ? value.slice(1) : value;
}

function isNear(row: Row, other: Row, {isFloat}: Comparison): boolean {
  return row.every((value, i) => {
    const theirs = other[i] ?? null;
    if (value === theirs) return true;
    if (!isFloat[i] || value === null || theirs === null) return false;
    const [a, b] = [Number(value), Number(theirs)];
    // Both are zero, and their texts differ: 0.0 and −0.0 are far apart.
    return !(a === 0 && b === 0) && Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b), 1);
  });
}
