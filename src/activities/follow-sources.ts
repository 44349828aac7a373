import {FreshetError} from '../errors.ts';
import {cyclePath, upstreamsOf} from '../graph/edges.ts';
import {inTransaction} from '../metadata/database.ts';
import {allTables, lockSources, setSources, type TableRow} from '../metadata/dynamic-table.ts';
import {tableNameText} from '../table-name.ts';
import {boundAt} from './bound-at.ts';
import type {Deps} from './deps.ts';
import {publications, type States} from './unchanged.ts';
import {versionsOf} from './versions.ts';

/**
 * All tables, where this one has the sources that its query has at version `v`: a view or macro that was replaced leads elsewhere
 * than at creation. What would have it read itself is not put down: the look-up refuses it.
 */
export async function followSources(
  {lake, metadata}: Pick<Deps, 'lake' | 'metadata'>,
  {name, incarnation, sources: known}: TableRow,
  tables: readonly TableRow[],
  states: States,
  v: number,
): Promise<readonly TableRow[]> {
  const state = states.get(name);
  if (state === undefined) return tables;
  const upstreams = publications(upstreamsOf(name, tables), states);
  const bound = await boundAt(lake, state.definition, versionsOf({dataVersion: v, upstreams})).catch(nullIfRefused);
  const sources = bound?.bound.sources.map(({table}) => tableNameText(table)) ?? known;
  if (JSON.stringify(sources.toSorted()) === JSON.stringify(known.toSorted())) return tables;
  return await inTransaction(metadata, async (client) => {
    await lockSources(client);
    if (cyclePath(name, sources, await allTables(client)) === null)
      await setSources(client, name, incarnation, sources);
    return await allTables(client);
  });
}

/** What it reads is not there just now: the look-up, or an upstream that is made anew before it, has the last word. */
export function nullIfRefused(error: unknown): null {
  if (error instanceof FreshetError) return null;
  throw error;
}
