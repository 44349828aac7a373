import type {Relation} from '../relation/relation.ts';
import type {Change, Derivation} from './derivation.ts';
import {changeOf} from './differentiate.ts';

/** Δ(σ_p R) = σ_p(ΔR): whether a row passes depends on that row alone. */
export function filter(relation: Relation & {kind: 'filter'}, derivation: Derivation): Change | null {
  const change = changeOf(relation.input, derivation);
  if (change === null) return null;
  return {relation: {...relation, input: change.relation}, weight: change.weight};
}
