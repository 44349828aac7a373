import {FreshetError} from '../errors.ts';
import {cyclePath} from '../graph/edges.ts';
import {changeQuery, restoreQuery} from '../lake/redefinition.ts';
import {inTransaction} from '../metadata/database.ts';
import {allTables, lockSources, setSources} from '../metadata/dynamic-table.ts';
import type {ReplaceInput} from './activities.ts';
import {rowOf, settled, standing, type AlterDeps} from './alter.ts';

/**
 * CREATE OR REPLACE of a table that is there. What it is to read comes first, so that two statements don't make a circle together; the
 * next refresh would put it right. Then the lake, from which on the new query holds, and then all else, as by ALTER.
 */
export async function replaceTable(deps: AlterDeps, {plan, replaces}: ReplaceInput): Promise<void> {
  const {incarnation} = replaces;
  const row = await rowOf(deps, {table: plan.table, incarnation});
  const {table} = await standing(deps, row.name);
  await inTransaction(deps.metadata, async (client) => {
    await lockSources(client);
    const way = cyclePath(row.name, plan.sources, await allTables(client));
    if (way !== null)
      throw new FreshetError('dependency_cycle', `${row.name} would read itself: ${way.join(' reads ')}.`);
    await setSources(client, row.name, incarnation, plan.sources);
  });
  await deps.lake.look((session) => changeQuery(session, table, plan.definition), deps.signal);
  await settled(deps, row, row.name);
}

/** The end of a replacement whose first refresh has failed. */
export async function restoreTable(deps: AlterDeps, {plan, replaces}: ReplaceInput): Promise<void> {
  const row = await rowOf(deps, {table: plan.table, incarnation: replaces.incarnation});
  const {table} = await standing(deps, row.name);
  const definitions = {former: replaces.definition, failed: plan.definition};
  await deps.lake.look((session) => restoreQuery(session, table, definitions), deps.signal);
  await settled(deps, row, row.name);
}
