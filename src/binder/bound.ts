import type {Reason} from '../delta/reason.ts';
import type {Relation} from '../relation/relation.ts';
import type {TableName} from '../table-name.ts';

/** A query as DuckDB bound it against the lake at one snapshot. Plain data. */
export type Bound = {
  readonly outputs: readonly BoundOutput[];
  /** Each table that is really scanned, once, with the columns it uses. */
  readonly sources: readonly {readonly table: TableName; readonly columns: readonly string[]}[];
  readonly reading: Reading;
  /** Functions without a value at a snapshot (`random`, `now` …), by name. */
  readonly volatileFunctions: readonly string[];
};

/** `storedType` is the type of the target's column: another only where the lake would change the value (HUGEINT). */
export type BoundOutput = {readonly name: string; readonly type: string; readonly storedType: string};

/** A column of the target, as people are told of it; `queryType` where the query gives another type than is stored. */
export type StoredColumn = {readonly name: string; readonly type: string; readonly queryType?: string};

export function storedColumn({name, type, storedType}: BoundOutput): StoredColumn {
  return {name, type: storedType, ...(type === storedType ? {} : {queryType: type})};
}

/**
 * The relation's columns are the outputs, by place. `full`: something in the plan has no place in our algebra, or the round
 * trip failed; the query can only be run as a whole.
 */
export type Reading =
  | {readonly kind: 'relation'; readonly relation: Relation}
  | {readonly kind: 'full'; readonly reasons: readonly Reason[]};
