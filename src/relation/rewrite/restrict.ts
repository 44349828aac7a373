import {unreachable} from '../../assert.ts';
import {columnsOf, conjuncts, substitute, walk} from '../expression.ts';
import type {Expression} from '../expression.ts';
import {columnsOfRelation} from '../relation.ts';
import type {Aggregate, Join, Output, Relation, Restrict, Staged} from '../relation.ts';

/** What must equal which column of the keys. */
export type Term = Restrict['on'][number];

/**
 * The rows of `relation` whose terms are among `keys`, the semi-join pushed as close to the scans as it may go.
 *
 * σ_K(R) = R ⋉ K. It commutes with filters and projections (terms rewritten), distributes over UNION ALL, goes into the side
 * of an inner join that its terms come from and, by way of an equality of the join, into the other side too, and through an
 * aggregate when the terms are made of its keys: a group is then either whole or absent. Where some terms can't go further,
 * the others still do, as a weaker restriction below the whole one.
 */
export function restrict(relation: Relation, keys: Staged, on: readonly Term[]): Relation {
  switch (relation.kind) {
    case 'scan':
    case 'staged':
    case 'values':
      return {kind: 'restrict', input: relation, keys, on};
    case 'restrict':
      return {...relation, input: restrict(relation.input, keys, on)};
    case 'filter':
      if (on.some(raises)) return {kind: 'restrict', input: relation, keys, on};
      return {...relation, input: restrict(relation.input, keys, on.map(guarded))};
    case 'project': {
      const inner = throughOutputs(on, relation.outputs);
      if (inner.some(triesToRaise)) return {kind: 'restrict', input: relation, keys, on};
      return {...relation, input: restrict(relation.input, keys, inner)};
    }
    case 'union-all':
      return {
        ...relation,
        inputs: relation.inputs.map((input) => restrict(input, keys, throughPlaces(on, relation, input))),
      };
    case 'join':
      return on.some(raises) ? {kind: 'restrict', input: relation, keys, on} : restrictJoin(relation, keys, on);
    case 'aggregate':
      return restrictAggregate(relation, keys, on);
    default:
      return unreachable(relation);
  }
}

/**
 * Below a filter or a join a term meets rows that the query itself never computes it for; a cast that fails there must not fail
 * the refresh. A row that is lost for it is none of the query's: its error would have come up where the change was computed.
 */
function guarded(term: Term): Term {
  const {expression} = term;
  const isSafe = expression.kind === 'column' || (expression.kind === 'operator' && expression.operator === 'TRY');
  if (isSafe) return term;
  const type = term.key.type;
  return {...term, expression: {kind: 'operator', operator: 'TRY', arguments: [expression], type}};
}

/** A key that calls error() stays above what guards it: DuckDB lets no TRY catch it. */
function raises({expression}: {readonly expression: Expression}): boolean {
  let isRaising = false;
  walk(expression, (part) => (isRaising ||= part.kind === 'call' && part.name === 'error'));
  return isRaising;
}

/** A key that was guarded stays above what would put a call of error() inside of its TRY. */
function triesToRaise({expression}: Term): boolean {
  let isTried = false;
  walk(expression, (part) => (isTried ||= part.kind === 'operator' && part.operator === 'TRY'));
  return isTried && raises({expression});
}

function throughOutputs(on: readonly Term[], outputs: readonly Output[]): readonly Term[] {
  const sources = new Map(outputs.map(({column, expression}) => [column.id, expression]));
  return on.map((term) => ({...term, expression: substitute(term.expression, (id) => sources.get(id))}));
}

function throughPlaces(
  on: readonly Term[],
  {columns}: Relation & {kind: 'union-all'},
  input: Relation,
): readonly Term[] {
  const inner = columnsOfRelation(input);
  const sources = new Map(
    columns.map((outer, i): [number, Expression | undefined] => {
      const column = inner[i];
      if (column === undefined) return [outer.id, undefined];
      const expression: Expression = {kind: 'column', id: column.id, type: column.type};
      const isSame = column.type === outer.type;
      return [outer.id, isSame ? expression : {kind: 'cast', input: expression, tries: false, type: outer.type}];
    }),
  );
  return on.map((term) => ({...term, expression: substitute(term.expression, (id) => sources.get(id))}));
}

function restrictJoin(relation: Join, keys: Staged, on: readonly Term[]): Relation {
  const safe = on.map(guarded);
  const left = [...within(safe, relation.left), ...acrossEqualities(safe, relation, relation.left)];
  const right = [...within(safe, relation.right), ...acrossEqualities(safe, relation, relation.right)];
  const pushed: Join = {
    ...relation,
    left: left.length === 0 ? relation.left : restrict(relation.left, keys, left),
    right: right.length === 0 ? relation.right : restrict(relation.right, keys, right),
  };
  const isWhole = [relation.left, relation.right].some((side) => within(safe, side).length === on.length);
  return isWhole ? pushed : {kind: 'restrict', input: pushed, keys, on};
}

/** The terms that read nothing but `relation`. */
function within(on: readonly Term[], relation: Relation): readonly Term[] {
  const own = idsOf(relation);
  return on.filter(({expression}) => reads(expression, own));
}

/** Terms over the other side, carried to `side` by an equality of the join: the rows it drops have no partner. */
function acrossEqualities(on: readonly Term[], {condition}: Join, side: Relation): readonly Term[] {
  const own = idsOf(side);
  return on
    .filter(({expression}) => !reads(expression, own))
    .flatMap((term) => {
      const partner = conjuncts(condition)
        .map((part) => partnerOf(part, term.expression))
        .find((expression) => expression !== null && reads(expression, own));
      return partner ? [guarded({...term, expression: partner})] : [];
    });
}

function partnerOf(part: Expression, expression: Expression): Expression | null {
  if (part.kind !== 'compare' || part.operator !== '=') return null;
  if (isEqual(part.left, expression)) return part.right;
  return isEqual(part.right, expression) ? part.left : null;
}

function isEqual(a: Expression, b: Expression): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function restrictAggregate(relation: Aggregate, keys: Staged, on: readonly Term[]): Relation {
  const keyIds = new Set(relation.keys.map(({column}) => column.id));
  const pushed = on.filter(
    (term) =>
      relation.grouped && reads(term.expression, keyIds) && !throughOutputs([term], relation.keys).some(triesToRaise),
  );
  if (pushed.length === 0) return {kind: 'restrict', input: relation, keys, on};
  const inner = {...relation, input: restrict(relation.input, keys, throughOutputs(pushed, relation.keys))};
  return pushed.length === on.length ? inner : {kind: 'restrict', input: inner, keys, on};
}

function idsOf(relation: Relation): ReadonlySet<number> {
  return new Set(columnsOfRelation(relation).map(({id}) => id));
}

/** Whether it reads only columns of `own`, and at least one: a constant says nothing about any side. */
function reads(expression: Expression, own: ReadonlySet<number>): boolean {
  const ids = [...columnsOf(expression)];
  return ids.length > 0 && ids.every((id) => own.has(id));
}
