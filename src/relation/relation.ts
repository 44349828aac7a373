import type {TableName} from '../table-name.ts';
import type {AggregateCall, Column, Expression} from './expression.ts';

/**
 * A query as relational algebra, over multisets of rows. Every column has an id that no other column of the definition has.
 * Order means nothing here: a dynamic table is a multiset.
 */
export type Relation =
  | Scan
  | Staged
  | Values
  | {readonly kind: 'filter'; readonly input: Relation; readonly condition: Expression}
  | Project
  | Join
  | Aggregate
  | UnionAll
  | Restrict;

/** Rows of a table of the lake. */
export type Scan = {
  readonly kind: 'scan';
  readonly source: TableName;
  /** A column's `name` is its name in the source. */
  readonly columns: readonly Column[];
  /** Which end of the refresh it is read at. A definition's own relation reads the new end. */
  readonly at: 'old' | 'new';
};

/** Rows of a temporary table that the refresh has made before: a source's change, an operator's affected keys. */
export type Staged = {readonly kind: 'staged'; readonly name: string; readonly columns: readonly Column[]};

/** Rows written out; with one row and no columns what `SELECT` without `FROM` reads. */
export type Values = {
  readonly kind: 'values';
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Expression[])[];
};

export type Project = {readonly kind: 'project'; readonly input: Relation; readonly outputs: readonly Output[]};

/** A column and what it is computed from. */
export type Output = {readonly column: Column; readonly expression: Expression};

/** Inner join; a null condition is the cross product. */
export type Join = {
  readonly kind: 'join';
  readonly left: Relation;
  readonly right: Relation;
  readonly condition: Expression | null;
};

/**
 * GROUP BY `keys`: one row per group, the keys first. Without aggregates it is DISTINCT over the keys. `grouped` false is an
 * aggregate without GROUP BY: one row always, also over no rows.
 */
export type Aggregate = {
  readonly kind: 'aggregate';
  readonly input: Relation;
  readonly grouped: boolean;
  readonly keys: readonly Output[];
  readonly aggregates: readonly {readonly column: Column; readonly call: AggregateCall}[];
};

/** The inputs' columns correspond by place and have the types of `columns`. */
export type UnionAll = {
  readonly kind: 'union-all';
  readonly inputs: readonly Relation[];
  readonly columns: readonly Column[];
};

/**
 * The rows of `input` for which `keys` has a row with equal values (nulls are equal to nulls): a semi-join. What makes a
 * refresh of few groups read few rows.
 */
export type Restrict = {
  readonly kind: 'restrict';
  readonly input: Relation;
  readonly keys: Staged;
  /** Expressions over the input, each with the column of `keys` that it must equal. */
  readonly on: readonly {readonly expression: Expression; readonly key: Column}[];
};

export function columnsOfRelation(relation: Relation): readonly Column[] {
  switch (relation.kind) {
    case 'scan':
    case 'staged':
    case 'values':
    case 'union-all':
      return relation.columns;
    case 'filter':
    case 'restrict':
      return columnsOfRelation(relation.input);
    case 'project':
      return relation.outputs.map((output) => output.column);
    case 'join':
      return [...columnsOfRelation(relation.left), ...columnsOfRelation(relation.right)];
    case 'aggregate':
      return [...relation.keys, ...relation.aggregates].map((output) => output.column);
  }
}

/** The relations an operator is applied to. */
export function inputsOf(relation: Relation): readonly Relation[] {
  switch (relation.kind) {
    case 'scan':
    case 'staged':
    case 'values':
      return [];
    case 'filter':
    case 'project':
    case 'aggregate':
    case 'restrict':
      return [relation.input];
    case 'join':
      return [relation.left, relation.right];
    case 'union-all':
      return relation.inputs;
  }
}

/** The same operator over changed inputs. */
export function mapInputs(relation: Relation, change: (input: Relation) => Relation): Relation {
  switch (relation.kind) {
    case 'scan':
    case 'staged':
    case 'values':
      return relation;
    case 'filter':
    case 'project':
    case 'aggregate':
    case 'restrict':
      return {...relation, input: change(relation.input)};
    case 'join':
      return {...relation, left: change(relation.left), right: change(relation.right)};
    case 'union-all':
      return {...relation, inputs: relation.inputs.map(change)};
  }
}

/** The scans of a relation, one for each occurrence. */
export function scansOf(relation: Relation): readonly Scan[] {
  return relation.kind === 'scan' ? [relation] : inputsOf(relation).flatMap(scansOf);
}
