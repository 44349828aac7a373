import {columnsOfRelation} from '../relation/relation.ts';
import type {Aggregate, Relation} from '../relation/relation.ts';
import {isSameCall} from '../relation/aggregate-functions.ts';
import type {Column} from '../relation/expression.ts';
import {at} from '../relation/rewrite/at.ts';
import {restrict} from '../relation/rewrite/restrict.ts';
import {affected} from './aggregate.ts';
import type {Derivation} from './derivation.ts';
import {changeOf, inPlace} from './differentiate.ts';
import {changeOfGroups, groupsOf, isExtreme, type Groups} from './merge.ts';
import type {Merge, Root, Stored} from './program.ts';

/** Into which groups a change may be merged: none, those that the target itself shows whole, or also those in a hidden table. */
export type Merges = 'none' | 'shown' | 'hidden';

/**
 * How the change arrives at the target: by key where the whole result has one that it shows, else row by row.
 *
 * Only an aggregate's keys (DISTINCT's included), passed on by filters and projections, are unique for the whole result. By key
 * the old rows are found in the target and never computed again, so that nothing here need be exact; a HAVING that a group no
 * longer passes takes its row away, for the rows of an affected key are replaced by what there is now. Null: a rule declined.
 */
export function root(relation: Relation, derivation: Derivation, merges: Merges): Root | null {
  const top = topAggregate(relation);
  const merged = top === null ? null : merge(relation, top, derivation, merges);
  if (merged !== null) return merged;
  if (top !== null && !top.grouped) return whole(relation, top, derivation);
  const shown = top === null ? null : shownKeys(relation, top);
  return top === null || shown === null ? byRow(relation, derivation) : byKey(relation, top, shown, derivation);
}

/** Merged where every aggregate can be taken back exactly, and what that needs is kept; null: it can't be. */
function merge(relation: Relation, top: Aggregate, derivation: Derivation, merges: Merges): Root | null {
  const places = top.grouped ? shownKeys(relation, top) : [];
  const groups = merges === 'none' || places === null ? null : groupsOf(top, derivation);
  if (groups === null || places === null) return null;
  const stored = shownAccumulators(relation, top, groups);
  if (stored === null && merges !== 'hidden') return null;
  const {change, isDeclined} = derivation.attempt(() => changeOf(top.input, derivation));
  if (isDeclined) return null;
  if (change === null) return {kind: 'unchanged'};
  const names = top.keys.map(({column: key}) => key.name).join(', ');
  const what = top.grouped ? `groups of ${names}` : 'what came and went in total';
  const staged = derivation.stage('keys', what, changeOfGroups(groups, change, derivation));
  const keys = staged.columns.slice(0, top.keys.length);
  return {
    ...{kind: 'merge', groups, stored, showsAll: !hidesGroups(relation), change: staged},
    on: keys.flatMap((key, n) => (places[n] === undefined ? [] : [{place: places[n], key}])),
    lost: lostGroups(top, groups, keys),
    fresh: overGroups(relation, top),
  };
}

/** The name and columns of the affected groups, which are made of what is kept when the change is applied. */
function overGroups(relation: Relation, top: Aggregate): Merge['fresh'] {
  const keys = top.keys.map(({column: key}, n) => ({...key, name: `o${n}`}));
  const answers = top.aggregates.map(({column: made}, n) => ({...made, name: `r${n}`}));
  const groups = {kind: 'staged', name: 'groups', columns: [...keys, ...answers]} as const;
  return {groups, relation: replaceTop(relation, groups)};
}

/** What such groups are read for: all that is kept of them, and their answers. */
function lostGroups(top: Aggregate, groups: Groups, keys: readonly Column[]): Merge['lost'] {
  const {aggregates} = groups.relation;
  if (!aggregates.some(({call}) => isExtreme(call))) return null;
  const lost = {kind: 'staged', name: 'groups_lost', columns: keys} as const;
  const on = top.keys.flatMap(({expression}, n) => (keys[n] === undefined ? [] : [{expression, key: keys[n]}]));
  const input = top.grouped ? restrict(top.input, lost, on) : top.input;
  return {keys: lost, anew: at('new', {...top, input, aggregates: [...aggregates, ...top.aggregates]})};
}

/** The places of what is kept, if the target has a row for every group that shows all of it. */
function shownAccumulators(relation: Relation, top: Aggregate, {accumulators}: Groups): Stored | null {
  if (hidesGroups(relation)) return null;
  const sources = columnsOfRelation(relation).map(({id}) => sourceOf(relation, id));
  const places = accumulators.map(({call}) => {
    const shown = top.aggregates.find((made) => isSameCall(made.call, call));
    return shown === undefined ? -1 : sources.indexOf(shown.column.id);
  });
  return places.includes(-1) ? null : places;
}

function hidesGroups(relation: Relation): boolean {
  return relation.kind === 'filter' || (relation.kind === 'project' && hidesGroups(relation.input));
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
