import type {Column} from '../relation/expression.ts';
import type {Relation, Staged} from '../relation/relation.ts';
import type {TableName} from '../table-name.ts';
import type {Groups} from './merge.ts';

/** All that an incremental refresh computes, as data: first what came and went in the sources, then the steps, then the root. */
export type Program = {
  readonly changes: readonly SourceChange[];
  readonly steps: readonly Step[];
  readonly root: Root;
  /** What is computed again: nothing, the affected keys of some operator, or some operator's whole input. */
  readonly recomputed: 'none' | 'keys' | 'all';
};

/** The change of one source, netted on the columns that the query uses: a temporary table of those and `weight`. */
export type SourceChange = {readonly name: string; readonly source: TableName; readonly columns: readonly string[]};

/** A temporary table that later steps and the root read. */
export type Step = {
  readonly kind: 'change' | 'keys';
  readonly name: string;
  /** For people: "groups of region". */
  readonly what: string;
  readonly relation: Relation;
  /** For `keys`: what will be read to recompute them, each a restricted scan. */
  readonly reads: readonly Relation[];
};

/** How the change arrives at the target. */
export type Root =
  /** Nothing that changed reaches the result. */
  | {readonly kind: 'unchanged'}
  /** A signed multiset: `weight` copies of a row come (or go). The other columns are the outputs, by place. */
  | {readonly kind: 'rows'; readonly change: Relation; readonly weight: Column}
  /**
   * The rows of the affected keys, complete: whatever the target holds for them is replaced. Only where the key is unique in
   * the whole result. `on`: place of the output that shows each key.
   */
  | {
      readonly kind: 'keys';
      readonly keys: Staged;
      readonly on: readonly {readonly place: number; readonly key: Column}[];
      readonly fresh: Relation;
    }
  | Merge
  /** The whole result, computed again, because it is one row; not when `below` is staged and empty: nothing reached it. */
  | {readonly kind: 'whole'; readonly fresh: Relation; readonly below: Staged | null};

/**
 * What is kept of the affected groups is merged with what came and went, and whatever the target holds for them is replaced by
 * what follows from it. `stored`: where it is kept, by places of the outputs that show it; null: in a hidden table.
 */
export type Merge = {
  readonly kind: 'merge';
  readonly groups: Groups;
  readonly stored: Stored | null;
  /** Whether the result has a row for each group. */
  readonly showsAll: boolean;
  /** A step: one row for each affected group, with its keys and what each accumulator is given. */
  readonly change: Staged;
  readonly on: readonly {readonly place: number; readonly key: Column}[];
  /** Groups that have lost a least or greatest value, and the aggregate over only their rows; null: there are none. */
  readonly lost: {readonly keys: Staged; readonly anew: Relation} | null;
  /** The result over the temporary table of the affected groups. */
  readonly fresh: {readonly groups: Staged; readonly relation: Relation};
};

/** The place of the output that shows each accumulator. */
export type Stored = readonly number[];
