import {column} from '../relation/expression.ts';
import type {Project} from '../relation/relation.ts';
import type {Change, Derivation} from './derivation.ts';
import {changeOf} from './differentiate.ts';

/** Δ(π_e R) = π_e(ΔR), each row with its weight: rows that become equal add up when the change is netted. */
export function project(relation: Project, derivation: Derivation): Change | null {
  const change = changeOf(relation.input, derivation);
  if (change === null) return null;
  const weight = derivation.column('weight', 'BIGINT');
  const outputs = [...relation.outputs, {column: weight, expression: column(change.weight)}];
  return {relation: {kind: 'project', input: change.relation, outputs}, weight};
}
