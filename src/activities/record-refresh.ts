import {defaultSettings} from '../definition/definition.ts';
import {isMaintenanceDue, maintain} from '../lake/maintenance.ts';
import {groupsTable, readState} from '../lake/state.ts';
import {allTables, moveTable} from '../metadata/dynamic-table.ts';
import {forgetPublications, savePublication} from '../metadata/publication.ts';
import {countNoData, insertRefresh, unknownRefresh} from '../metadata/refresh.ts';
import {forgetRungs} from '../metadata/rung.ts';
import {isSameName} from '../table-name.ts';
import type {RecordFailureInput, RecordInput} from './activities.ts';
import type {Deps} from './deps.ts';
import type {RefreshContext} from './look-up-snapshots.ts';
import {tableNamed} from './versions.ts';

/** Puts a refresh that the lake has down in the metadata: publication, version, history. */
export async function recordRefresh(
  {lake, metadata}: Pick<Deps, 'lake' | 'metadata'>,
  input: RecordInput,
): Promise<{readonly isMaintenanceDue: boolean}> {
  const {table, trigger, refreshId, freshAt, publication, summary, statements, startedAt, run} = input;
  const {incarnation, dataVersion, rows} = publication;
  await savePublication(metadata, table, publication);
  await moveTable(metadata, table, incarnation, {dataVersion, freshAt, rows});
  const {action, reason, sources, changedRows, affectedKeys, ratio} = summary;
  const {rowsDeleted, rowsInserted, recomputed, rowsScanned, phases} = summary;
  const put = action === 'NO_DATA' ? countNoData : insertRefresh;
  await put(metadata, {
    ...{table, incarnation, refreshId, trigger, action, reason, dataVersion, sources, changedRows, affectedKeys, ratio},
    ...{rowsDeleted, rowsInserted, recomputed, rowsScanned, rows, phases, statements},
    shareOutsideSql: shareOutsideSql(phases, statements),
    ...{errorCode: null, error: null, startedAt},
    ...run,
  });
  await forgetPublications(metadata, table);
  await forgetRungs(metadata);
  const name = tableNamed(table);
  return {
    isMaintenanceDue: await lake.look(
      async (session) =>
        (await isMaintenanceDue(session, name)) || (await isMaintenanceDue(session, groupsTable(name))),
    ),
  };
}

/** Callers hold the table's lock: they are its apply. What is kept of its groups is tidied with it. */
export async function maintainTable(
  {lake, signal}: RefreshContext,
  {table, rows}: {readonly table: string; readonly rows: number},
): Promise<boolean> {
  const name = tableNamed(table);
  return await lake.compute(
    defaultSettings,
    async (session) => {
      const groups = (await readState(session, name))?.fingerprint?.groups;
      const areGroupsSound = !groups || (await maintain(session, groupsTable(name), groups.rows));
      return (await maintain(session, name, rows)) && areGroupsSound;
    },
    signal,
  );
}

/** How much of the time of all phases was not spent in SQL. */
function shareOutsideSql(
  phases: RecordInput['summary']['phases'],
  statements: RecordInput['statements'],
): number | null {
  const all = Object.values(phases).reduce((sum, milliseconds) => sum + milliseconds, 0);
  const inSql = statements.reduce((sum, {ms}) => sum + ms, 0);
  return all === 0 ? null : Math.max(0, 1 - inSql / all);
}

export async function recordFailure(
  {metadata, scrub}: Pick<Deps, 'metadata' | 'scrub'>,
  {table, trigger, dataVersion, code, message, startedAt, run}: RecordFailureInput,
): Promise<void> {
  // It failed perhaps before it knew how the table's name is spelled.
  const known = (await allTables(metadata)).find(({name}) => isSameName(name, table));
  await insertRefresh(metadata, {
    ...unknownRefresh,
    table: known?.name ?? table,
    trigger,
    // The run has no refresh of its own; the id keeps a second attempt from being a second row.
    refreshId: `failed ${run.runId}`,
    dataVersion,
    errorCode: code,
    error: scrub(message),
    startedAt,
    ...run,
  });
}
