import {column, columnsOf, conjunction, conjuncts} from '../relation/expression.ts';
import type {Expression} from '../relation/expression.ts';
import {columnsOfRelation, inputsOf} from '../relation/relation.ts';
import type {Join, Relation} from '../relation/relation.ts';
import {at} from '../relation/rewrite/at.ts';
import {restrict} from '../relation/rewrite/restrict.ts';
import type {Change, Derivation} from './derivation.ts';
import {output} from './derivation.ts';
import {changeOf} from './differentiate.ts';

/**
 * Changes to an inner join of any number of relations, from changes to each.
 *
 * Δ(R1 ⋈ … ⋈ Rn) = Σi R1′ ⋈ … ⋈ R(i−1)′ ⋈ ΔRi ⋈ R(i+1) ⋈ … ⋈ Rn: left of the change at the new end, right of it at the old
 * one, so that changes that meet are counted once. Terms of unchanged relations are left out. A source that occurs twice is a
 * term for each occurrence. The weights of the change pass on, for the other rows weigh one each.
 */
export function join(relation: Join, derivation: Derivation): Change | null {
  const {parts, conditions} = flatten(relation);
  const changes = parts.map((part) => changeOf(part, derivation));
  const terms = changes.flatMap((change, i) =>
    change === null ? [] : [term(relation, parts, conditions, change, i, derivation)],
  );
  const [only] = terms;
  if (only === undefined) return null;
  if (terms.length === 1) return only;
  const weight = derivation.column('weight', 'BIGINT');
  const columns = [...columnsOfRelation(relation), weight];
  return {relation: {kind: 'union-all', inputs: terms.map((made) => made.relation), columns}, weight};
}

function flatten(relation: Relation): {parts: readonly Relation[]; conditions: readonly Expression[]} {
  if (relation.kind !== 'join') return {parts: [relation], conditions: []};
  const sides = [flatten(relation.left), flatten(relation.right)];
  return {
    parts: sides.flatMap(({parts}) => parts),
    conditions: [...sides.flatMap(({conditions}) => conditions), ...conjuncts(relation.condition)],
  };
}

function term(
  relation: Join,
  parts: readonly Relation[],
  conditions: readonly Expression[],
  change: Change,
  i: number,
  derivation: Derivation,
): Change {
  const others = parts.map((part, j) => (j === i ? change.relation : at(j < i ? 'new' : 'old', part)));
  const pieces = restrictOthers(others, i, conditions, derivation);
  const joined = connect(pieces, conditions);
  const weight = derivation.column('weight', 'BIGINT');
  const outputs = [
    ...columnsOfRelation(relation).map((kept) => output(kept, column(kept))),
    output(weight, column(change.weight)),
  ];
  return {relation: {kind: 'project', input: joined, outputs}, weight};
}

/** A left-deep join in which every condition stands at the first place where all it reads is there. */
function connect(pieces: readonly Relation[], conditions: readonly Expression[]): Relation {
  let open = conditions;
  return pieces.reduce((left, right) => {
    const here = new Set([...columnsOfRelation(left), ...columnsOfRelation(right)].map(({id}) => id));
    const ready = open.filter((condition) => [...columnsOf(condition)].every((id) => here.has(id)));
    open = open.filter((condition) => !ready.includes(condition));
    return {kind: 'join', left, right, condition: conjunction(ready)};
  });
}

/**
 * DuckDB carries the keys of a small side into the scans of the other by itself, but not through an aggregate: a part that
 * holds one is restricted here to the keys of the change, or the cost of a term would follow the data.
 */
function restrictOthers(
  pieces: readonly Relation[],
  i: number,
  conditions: readonly Expression[],
  derivation: Derivation,
): readonly Relation[] {
  const changed = pieces[i];
  const holdsAggregates = pieces.some((piece, j) => j !== i && holdsAggregate(piece));
  if (changed === undefined || !holdsAggregates) return pieces;
  const staged = derivation.stage('change', 'rows of a join that came or went', changed);
  const places = columnsOfRelation(changed);
  const rows: Relation = {
    kind: 'staged',
    name: staged.name,
    columns: places.map((place, n) => ({...place, name: staged.columns[n]?.name ?? place.name})),
  };
  return pieces.map((piece, j) => {
    if (j === i) return rows;
    return holdsAggregate(piece) ? restrictToChange(piece, rows, conditions, derivation) : piece;
  });
}

function restrictToChange(
  piece: Relation,
  changed: Relation,
  conditions: readonly Expression[],
  derivation: Derivation,
): Relation {
  const equalities = conditions.flatMap((condition) => equalityBetween(condition, piece, changed));
  if (equalities.length === 0) {
    derivation.recompute('all');
    return piece;
  }
  const keys = derivation.stage('keys', 'join keys of rows that came or went', {
    kind: 'aggregate',
    input: changed,
    grouped: true,
    keys: equalities.map(({theirs}, n) => output(derivation.column(`key_${n + 1}`, theirs.type), theirs)),
    aggregates: [],
  });
  const on = equalities.flatMap(({ours}, n) => {
    const key = keys.columns[n];
    return key === undefined ? [] : [{expression: ours, key}];
  });
  const restricted = restrict(piece, keys, on);
  derivation.recomputeKeys(keys, restricted);
  return restricted;
}

type Equality = {readonly ours: Expression; readonly theirs: Expression & {readonly type: string}};

function equalityBetween(condition: Expression, piece: Relation, changed: Relation): readonly Equality[] {
  if (condition.kind !== 'compare' || condition.operator !== '=') return [];
  const isOver = (expression: Expression, relation: Relation): boolean => {
    const own = new Set(columnsOfRelation(relation).map(({id}) => id));
    const ids = [...columnsOf(expression)];
    return ids.length > 0 && ids.every((id) => own.has(id));
  };
  const typed = (expression: Expression): expression is Expression & {readonly type: string} => 'type' in expression;
  for (const [ours, theirs] of [
    [condition.left, condition.right],
    [condition.right, condition.left],
  ] as const) {
    if (isOver(ours, piece) && isOver(theirs, changed) && typed(theirs)) return [{ours, theirs}];
  }
  return [];
}

function holdsAggregate(relation: Relation): boolean {
  return relation.kind === 'aggregate' || inputsOf(relation).some(holdsAggregate);
}
