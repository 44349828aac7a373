import {columnsOfRelation} from '../relation/relation.ts';
import type {Aggregate, Relation} from '../relation/relation.ts';
import {affected} from './aggregate.ts';
import type {Derivation} from './derivation.ts';
import {changeOf, inPlace} from './differentiate.ts';
import type {Root} from './program.ts';

/**
 * How the change arrives at the target: by key where the whole result has one that it shows, else row by row.
 *
 * Only an aggregate's keys (DISTINCT's included), passed on by filters and projections, are unique for the whole result. By key
 * the old rows are found in the target and never computed again, so that nothing here need be exact; a HAVING that a group no
 * longer passes takes its row away, for the rows of an affected key are replaced by what there is now. Null: a rule declined.
 */
export function root(relation: Relation, derivation: Derivation): Root | null {
  const top = topAggregate(relation);
  if (top !== null && !top.grouped) return whole(relation, top, derivation);
  const shown = top === null ? null : shownKeys(relation, top);
  return top === null || shown === null ? byRow(relation, derivation) : byKey(relation, top, shown, derivation);
}

/** Its old answer is nowhere needed, so what a rule below declines only costs us knowing that nothing reached the result. */
function whole(relation: Relation, top: Aggregate, derivation: Derivation): Root {
  derivation.recompute('all');
  const {change, isDeclined} = derivation.attempt(() => changeOf(top.input, derivation));
  if (isDeclined) return {kind: 'whole', fresh: relation, below: null};
  if (change === null) return {kind: 'unchanged'};
  return {kind: 'whole', fresh: relation, below: derivation.stage('change', 'rows below the total', change.relation)};
}

function byKey(relation: Relation, top: Aggregate, places: readonly number[], derivation: Derivation): Root {
  const groups = affected(top, derivation);
  if (groups?.keys == null) return {kind: 'unchanged'};
  const {keys} = groups;
  const on = places.flatMap((place, n) => {
    const key = keys.columns[n];
    return key === undefined ? [] : [{place, key}];
  });
  return {kind: 'keys', keys, on, fresh: replaceTop(relation, groups.at('new'))};
}

function byRow(relation: Relation, derivation: Derivation): Root {
  const change = changeOf(relation, derivation);
  if (change === null) return {kind: 'unchanged'};
  const {relation: rows, weight} = inPlace(relation, change);
  return {kind: 'rows', change: rows, weight};
}

/** The aggregate that the result is made of by filters and projections alone. */
function topAggregate(relation: Relation): Aggregate | null {
  if (relation.kind === 'aggregate') return relation;
  return relation.kind === 'filter' || relation.kind === 'project' ? topAggregate(relation.input) : null;
}

function replaceTop(relation: Relation, top: Relation): Relation {
  if (relation.kind === 'filter' || relation.kind === 'project')
    return {...relation, input: replaceTop(relation.input, top)};
  return top;
}

/** The place of each key among the outputs, or null when one isn't shown as it is. */
function shownKeys(relation: Relation, top: Aggregate): readonly number[] | null {
  const sources = columnsOfRelation(relation).map(({id}) => sourceOf(relation, id));
  const places = top.keys.map(({column: key}) => sources.indexOf(key.id));
  return places.includes(-1) || places.length === 0 ? null : places;
}

/** The column of the top aggregate that an output passes on unchanged. */
function sourceOf(relation: Relation, id: number): number | null {
  if (relation.kind === 'filter') return sourceOf(relation.input, id);
  if (relation.kind !== 'project') return id;
  const found = relation.outputs.find(({column: made}) => made.id === id);
  return found?.expression.kind === 'column' ? sourceOf(relation.input, found.expression.id) : null;
}
