import {isLakeError} from '../lake/errors.ts';
import {readyGroups} from '../lake/groups.ts';
import {readShare} from '../refresh/choose.ts';
import {keptColumns, keptRows} from '../refresh/merge.ts';
import {sql} from '../sql.ts';
import {mergesOf} from './groups.ts';
import {Facts, lakeNames} from './names.ts';
import type {Work, Wrote} from './publication-work.ts';

/** Our own print of the groups failed where the query did not: nothing is kept of them then. */
export class GroupsFailed extends Error {
  constructor(cause: unknown) {
    super('The groups could not be kept', {cause});
    this.name = 'GroupsFailed';
  }
}

/** What becomes of the groups in a publication that doesn't merge into them. `fill` is called in its transaction, behind the rows. */
export type Filling = {
  readonly writesGroups: boolean;
  readonly fill: (rows: number) => Promise<Wrote['groups']>;
};

/**
 * Groups are read from the sources, at the versions of the contents, which costs several times what a recomputation costs. So
 * the second change in a row that could have been merged has them kept: until then it is not known whether another one follows,
 * and one burst after the other is recomputed without paying for them.
 */
export async function fillingOf(work: Work): Promise<Filling> {
  const {session, state, hidden, lookUp} = work;
  const next = nextGroups(work);
  if (next !== 'fill' || hidden === null) {
    const groups = next === 'fill' ? undefined : next;
    return {writesGroups: false, fill: () => Promise.resolve(groups)};
  }
  const {groups, showsAll, meaning, table} = hidden;
  const {tableId, columns} = await readyGroups(session, state.table, keptColumns(groups));
  const fill: Filling['fill'] = async (rows) => {
    await session.run(sql`TRUNCATE ${table}`, 'empty the groups');
    const query = keptRows(groups, lakeNames(lookUp, new Facts()));
    const kept = await session.run(sql`INSERT INTO ${table}\n${query}`, 'keep the groups').catch((error: unknown) => {
      throw isLakeError(error, 'data', 'statement') ? new GroupsFailed(error) : error;
    });
    // Another number of groups than the query itself has: our reading of it is not to be trusted with them.
    return kept < rows || (showsAll && kept !== rows) ? null : {tableId, columns, rows: kept, meaning};
  };
  return {writesGroups: true, fill};
}

function nextGroups(work: Work): 'fill' | 'wanted' | null | undefined {
  if (work.hidden === null || !isMergeable(work)) return undefined;
  if (!work.keepsGroups) return null;
  const groups = work.state.fingerprint?.groups;
  if (groups === null) return null;
  return groups === 'wanted' ? 'fill' : 'wanted';
}

/** Whether the change would have been merged, had anything to merge it into been kept. */
function isMergeable({decision: {action, reason}, extraction, state, hidden}: Work): boolean {
  if (action === 'INCREMENTAL') return true;
  if (reason?.kind !== 'cheaper' || extraction.kind !== 'staged' || !hidden?.readsChangesOnly) return false;
  const share = readShare({sources: extraction.sources, keys: []});
  return mergesOf(state, hidden) === 'shown' && share !== null && share <= reason.threshold;
}
