import {isDeepStrictEqual} from 'node:util';
import {storedColumn} from '../binder/bound.ts';
import {reasonText} from '../delta/reason.ts';
import {catalogTable, currentSnapshot} from '../lake/catalog.ts';
import {publicationOf} from '../lake/publication.ts';
import type {Session} from '../lake/session.ts';
import {allStates, dropMovedState, type Published, type StoredDefinition} from '../lake/state.ts';
import {inTransaction} from '../metadata/database.ts';
import {
  allTables,
  findTable,
  insertTable,
  moveTable,
  renameTable,
  setDefinition,
  type TableRow,
} from '../metadata/dynamic-table.ts';
import {publicationAt, savePublication} from '../metadata/publication.ts';
import {insertMissingRefresh, unknownRefresh} from '../metadata/refresh.ts';
import type {Action, Trigger} from '../refresh/action.ts';
import {sql} from '../sql.ts';
import {tableNameText} from '../table-name.ts';
import {applyId} from '../temporal-names.ts';
import {boundAt} from './bound-at.ts';
import type {Deps} from './deps.ts';
import {nullIfRefused} from './follow-sources.ts';
import {withMode} from './judge.ts';
import {fullReasons} from './look-up-snapshots.ts';
import {tableNamed, versionsOf} from './versions.ts';

/** The lake is the truth, the metadata a cache of it: what a run that died did not put down is put down by whoever comes next. */

/** Tables that the metadata don't know, or know by an earlier name or definition. */
export async function repairTables(deps: Pick<Deps, 'lake' | 'metadata' | 'schedules' | 'site'>): Promise<void> {
  const known = await allTables(deps.metadata);
  const states = await deps.lake.look(allStates);
  for (const state of states) {
    const name = tableNameText(state.table);
    const row = known.find(({incarnation}) => incarnation === state.incarnation);
    if (row !== undefined) {
      await repairDefinition(deps, row, state);
    } else if (!known.some((other) => other.name === name)) {
      await insertFromLake(deps, name, state);
      await repairPublication(deps, name, state);
    }
  }
}

/**
 * The name and the definition that the lake has: an ALTER may have been cut off before the metadata had them. They come last, for by
 * them it is seen that something is left to do. Answers how the table is refreshed under it.
 */
export async function repairDefinition(
  {lake, metadata, schedules}: Pick<Deps, 'lake' | 'metadata' | 'schedules'>,
  row: TableRow,
  {table, definition, incarnation: standing}: Published,
): Promise<Pick<TableRow, 'name' | 'mode' | 'reasons'>> {
  const {name: before, incarnation} = row;
  const name = tableNameText(table);
  if (incarnation !== standing || isDeepStrictEqual(row.definition, definition)) return row;
  // Somebody else has been first, and the old name may be another table's by now.
  if (name !== before && (await findTable(metadata, before))?.incarnation !== incarnation) return row;
  const isSameQuery = row.definition.query === definition.query;
  const meaning = isSameQuery ? row : await meaningOf(lake, definition).catch(nullIfRefused);
  // What it reads is not there just now: left to whoever comes when it is.
  if (meaning === null) return row;
  const reasons = withMode(definition.options, meaning.reasons);
  const mode = reasons.length > 0 ? 'full' : 'incremental';
  const request = {table: name, targetLag: definition.options.targetLag, mode} as const;
  if (name === before) {
    await schedules.change(request);
  } else {
    await lake.look((session) => dropMovedState(session, tableNamed(before)));
    await schedules.rename(before, request);
  }
  await inTransaction(metadata, async (client) => {
    if (name !== before) await renameTable(client, before, incarnation, name);
    await setDefinition(client, name, incarnation, {...meaning, definition, mode, reasons});
  });
  return {name, mode, reasons};
}

/** The publication that the lake has, and the refresh that made it, if the metadata don't have them yet. */
export async function repairPublication(
  {lake, metadata, site}: Pick<Deps, 'lake' | 'metadata' | 'site'>,
  name: string,
  state: Published,
): Promise<void> {
  if (state.dataVersion === null) return;
  const {dataVersion, rows, incarnation, refreshId} = state;
  const known = await publicationAt(metadata, name, incarnation, dataVersion);
  if (known !== null && known.generation >= state.generation) return;
  const {time, action, trigger, statement} = await lake.look((session) => commitOf(session, state.snapshot));
  await inTransaction(metadata, async (client) => {
    await savePublication(client, name, publicationOf(state));
    // A statement has put the contents down as they were.
    if (statement !== null) return;
    await moveTable(client, name, incarnation, {dataVersion, freshAt: time, rows});
    if (refreshId === null) return;
    const run = {workflowId: applyId(site.prefix, name), runId: refreshId};
    await insertMissingRefresh(client, {
      ...unknownRefresh,
      ...{table: name, incarnation, refreshId, trigger, action, dataVersion, rows, startedAt: time, ...run},
      reason: 'put down later, from the lake: its run did not live to do it',
    });
  });
}

/** What the commit itself says of the refresh, or the statement, that it was. */
async function commitOf(
  session: Session,
  snapshot: number,
): Promise<{time: string; action: Action | null; trigger: Trigger; statement: string | null}> {
  const [commit] = await session.rows<{time: string; extra: string | null}>(
    sql`SELECT s.snapshot_time AS time, c.commit_extra_info AS extra
      FROM ${catalogTable(session, 'snapshot')} AS s JOIN ${catalogTable(session, 'snapshot_changes')} AS c USING (snapshot_id)
      WHERE snapshot_id = ${snapshot}`,
  );
  // Written by us, in this shape.
  const said = JSON.parse(commit?.extra ?? '{}') as {action?: Action; trigger?: Trigger; statement?: string};
  const {action = null, trigger = 'manual', statement = null} = said;
  return {time: commit?.time ?? new Date().toISOString(), action, trigger, statement};
}

async function insertFromLake(
  {lake, metadata}: Pick<Deps, 'lake' | 'metadata'>,
  name: string,
  state: Published,
): Promise<void> {
  if ((await findTable(metadata, name)) !== null) return;
  const meaning = await meaningOf(lake, state.definition);
  const reasons = withMode(state.definition.options, meaning.reasons);
  await insertTable(metadata, {
    name,
    incarnation: state.incarnation,
    createdBy: '',
    state: 'active',
    definition: state.definition,
    ...meaning,
    mode: reasons.length > 0 ? 'full' : 'incremental',
    reasons,
  });
}

/** What a definition gives and reads now. */
async function meaningOf(
  lake: Deps['lake'],
  definition: StoredDefinition,
): Promise<Pick<TableRow, 'columns' | 'sources' | 'reasons'>> {
  const {id: dataVersion} = await lake.look(currentSnapshot);
  const {bound} = await boundAt(lake, definition, versionsOf({dataVersion, upstreams: {}}));
  return {
    columns: bound.outputs.map(storedColumn),
    sources: bound.sources.map(({table}) => tableNameText(table)),
    reasons: fullReasons(bound.reading).map(reasonText),
  };
}
