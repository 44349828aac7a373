import type {UnionAll} from '../relation/relation.ts';
import type {Change, Derivation} from './derivation.ts';
import {changeOf, inPlace} from './differentiate.ts';

/** Δ(R ⊎ S) = ΔR ⊎ ΔS. */
export function unionAll(relation: UnionAll, derivation: Derivation): Change | null {
  const inputs = relation.inputs.flatMap((input) => {
    const change = changeOf(input, derivation);
    return change === null ? [] : [inPlace(input, change).relation];
  });
  if (inputs.length === 0) return null;
  const weight = derivation.column('weight', 'BIGINT');
  return {relation: {kind: 'union-all', inputs, columns: [...relation.columns, weight]}, weight};
}
