import {exactness} from '../relation/aggregate-functions.ts';
import {column} from '../relation/expression.ts';
import type {Expression} from '../relation/expression.ts';
import {columnsOfRelation} from '../relation/relation.ts';
import type {Aggregate, Relation, Staged} from '../relation/relation.ts';
import {at} from '../relation/rewrite/at.ts';
import {restrict} from '../relation/rewrite/restrict.ts';
import type {Change, Derivation} from './derivation.ts';
import {output} from './derivation.ts';
import {changeOf} from './differentiate.ts';

/**
 * Changes to an aggregate, by recomputing what is affected at both ends.
 *
 * With K the keys of ΔR's rows: Δ(γ_K R) = γ(R′ ⋉ K) − γ(R ⋉ K). ΔR holds rows that went with the keys they had, and rows that
 * came with theirs, so a row that moved affects both its groups; a group outside K has the same rows at both ends. The old
 * answer is a second evaluation, which is right only if it is the answer that was given: every aggregate must be exact, and no
 * key may show one of several equal values (0.0 and −0.0). Without GROUP BY there is one group, which always exists.
 */
export function aggregate(relation: Aggregate, derivation: Derivation): Change | null {
  const groups = affected(relation, derivation);
  if (groups === null) return null;
  declineInexact(relation, derivation);
  const inputs = [weighed(groups.at('new'), 1, derivation), weighed(groups.at('old'), -1, derivation)];
  const weight = derivation.column('weight', 'BIGINT');
  return {relation: {kind: 'union-all', inputs, columns: [...columnsOfRelation(relation), weight]}, weight};
}

/** The affected groups of an aggregate: the keys, and the aggregate over only their rows at either end. */
export type AffectedGroups = {readonly keys: Staged | null; readonly at: (end: 'old' | 'new') => Relation};

/** Null when nothing that changed reaches the aggregate. `keys` is null for an aggregate without GROUP BY. */
export function affected(relation: Aggregate, derivation: Derivation): AffectedGroups | null {
  const change = changeOf(relation.input, derivation);
  if (change === null) return null;
  if (!relation.grouped) {
    derivation.recompute('all');
    return {keys: null, at: (end) => at(end, relation)};
  }
  const keys = derivation.stage('keys', `groups of ${relation.keys.map(({column: key}) => key.name).join(', ')}`, {
    kind: 'aggregate',
    input: change.relation,
    grouped: true,
    keys: relation.keys,
    aggregates: [],
  });
  const on = relation.keys.flatMap(({expression}, n) => {
    const key = keys.columns[n];
    return key === undefined ? [] : [{expression, key}];
  });
  const restricted: Relation = {...relation, input: restrict(relation.input, keys, on)};
  derivation.recomputeKeys(keys, restricted);
  return {keys, at: (end) => at(end, restricted)};
}

function declineInexact({keys, aggregates}: Aggregate, derivation: Derivation): void {
  for (const {call} of aggregates) {
    const found = exactness(call);
    if (found.kind !== 'exact')
      derivation.decline({kind: 'inexact', construct: `${call.name}() below the result's own groups`});
  }
  for (const {column: key} of keys) {
    if (/\b(FLOAT|DOUBLE|INTERVAL)\b/.test(key.type)) {
      derivation.decline({
        kind: 'inexact',
        construct: `GROUP BY or DISTINCT over "${key.name}" (${key.type}) below the result`,
      });
    }
  }
}

function weighed(relation: Relation, copies: 1 | -1, derivation: Derivation): Relation {
  const one: Expression = {kind: 'constant', sql: `CAST(${copies} AS BIGINT)`, type: 'BIGINT'};
  const outputs = columnsOfRelation(relation).map((kept) => output(kept, column(kept)));
  return {kind: 'project', input: relation, outputs: [...outputs, output(derivation.column('weight', 'BIGINT'), one)]};
}
