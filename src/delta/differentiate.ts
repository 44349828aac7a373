import {unreachable} from '../assert.ts';
import {column} from '../relation/expression.ts';
import {columnsOfRelation} from '../relation/relation.ts';
import type {Relation} from '../relation/relation.ts';
import type {TableName} from '../table-name.ts';
import {aggregate} from './aggregate.ts';
import {Derivation} from './derivation.ts';
import type {Change} from './derivation.ts';
import {filter} from './filter.ts';
import {join} from './join.ts';
import type {Program} from './program.ts';
import {project} from './project.ts';
import type {Reason} from './reason.ts';
import {root, type Merges} from './root.ts';
import {scan} from './scan.ts';
import {unionAll} from './union-all.ts';

/** How a definition's result changes between two snapshots, or why that can't be derived. */
export type Delta =
  | {readonly kind: 'delta'; readonly program: Program}
  | {readonly kind: 'not-incremental'; readonly reasons: readonly Reason[]};

/**
 * Derives the program that carries the target from the old to the new end of a refresh, given which sources changed.
 *
 * A change is a signed multiset (Δ), as in DBToaster, DBSP and OpenIVM: R′ = R + ΔR. Each rule's file has its equation.
 */
export function differentiate(
  relation: Relation,
  isChanged: (source: TableName) => boolean,
  merges: Merges = 'hidden',
): Delta {
  const derivation = new Derivation(relation, isChanged);
  const change = root(relation, derivation, merges);
  if (change === null || derivation.reasons.length > 0) return {kind: 'not-incremental', reasons: derivation.reasons};
  const {changes, steps, recomputed} = derivation;
  return {kind: 'delta', program: {changes, steps, root: change, recomputed}};
}

/** The change of any relation; null where nothing changes (or where a rule declined, which `derivation.reasons` tells). */
export function changeOf(relation: Relation, derivation: Derivation): Change | null {
  switch (relation.kind) {
    case 'scan':
      return scan(relation, derivation);
    case 'filter':
      return filter(relation, derivation);
    case 'project':
      return project(relation, derivation);
    case 'join':
      return join(relation, derivation);
    case 'aggregate':
      return aggregate(relation, derivation);
    case 'union-all':
      return unionAll(relation, derivation);
    case 'values':
    case 'staged':
      return null;
    case 'restrict':
      throw new Error('Bug in Freshet: a definition holds no restriction');
    default:
      return unreachable(relation);
  }
}

/** The change with just the columns of `relation` and the weight, in that order. */
export function inPlace(relation: Relation, {relation: changed, weight}: Change): Change {
  const columns = [...columnsOfRelation(relation), weight];
  const outputs = columns.map((kept) => ({column: kept, expression: column(kept)}));
  return {relation: {kind: 'project', input: changed, outputs}, weight};
}
