import type {Scan, Staged} from '../relation/relation.ts';
import type {Change, Derivation} from './derivation.ts';

/**
 * The change of a table: what its feed says between the two snapshots, insertions as +1 and deletions as −1, netted.
 *
 * Every occurrence of a source reads the same netted change. An unchanged source is known to be so without reading it.
 */
export function scan(relation: Scan, derivation: Derivation): Change | null {
  const change = derivation.changeOf(relation);
  if (change === undefined) return null;
  const weight = derivation.column('weight', 'BIGINT');
  const columns = relation.columns.map((column) => ({...column, name: `c${change.columns.indexOf(column.name)}`}));
  const staged: Staged = {kind: 'staged', name: change.name, columns: [...columns, weight]};
  return {relation: staged, weight};
}
