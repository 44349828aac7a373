import {assert} from '../assert.ts';
import {keptIn} from '../lake/fingerprint.ts';
import {isMaintenanceDue, sizesOf, type Files} from '../lake/maintenance.ts';
import type {Session} from '../lake/session.ts';
import type {ErrorCode} from '../errors.ts';
import {inTransaction} from '../metadata/database.ts';
import {
  allTables,
  countFailure,
  findTable,
  mostFailuresInARow,
  moveTable,
  setKeptGroups,
  type KeptGroups,
} from '../metadata/dynamic-table.ts';
import {groupsTable, readStanding} from '../lake/state.ts';
import {forgetPublications, savePublication} from '../metadata/publication.ts';
import {
  countNoData,
  insertMissingRefresh,
  insertRefresh,
  markHasSuspended,
  unknownRefresh,
} from '../metadata/refresh.ts';
import {forgetRungs} from '../metadata/rung.ts';
import {suspensionNote} from '../schedule-note.ts';
import {isSameName, tableNameText, type TableName} from '../table-name.ts';
import {alertId} from '../temporal-names.ts';
import type {RecordFailureInput, RecordInput} from './activities.ts';
import type {Deps} from './deps.ts';
import {tableNamed} from './versions.ts';

/** Puts a refresh that the lake has down in the metadata: publication, version and history, all or none. */
export async function recordRefresh(
  {lake, metadata}: Pick<Deps, 'lake' | 'metadata'>,
  input: RecordInput,
): Promise<{readonly isMaintenanceDue: boolean}> {
  const {table, trigger, refreshId, freshAt, publication, summary, statements, startedAt, run} = input;
  const {incarnation, dataVersion, rows} = publication;
  const {action, reason, sources, changedRows, affectedKeys, ratio} = summary;
  const {rowsDeleted, rowsInserted, recomputed, rowsScanned, phases} = summary;
  const put = action === 'NO_DATA' ? countNoData : insertRefresh;
  const name = tableNamed(table);
  const {files, keptGroups} = await lake.look((session) => lookAtFiles(session, name));
  await inTransaction(metadata, async (client) => {
    await savePublication(client, table, publication);
    await moveTable(client, table, incarnation, {dataVersion, freshAt, rows});
    await setKeptGroups(client, table, incarnation, keptGroups);
    await put(client, {
      ...{table, incarnation, refreshId, trigger, action, reason, dataVersion, sources, changedRows},
      ...{affectedKeys, ratio, rowsDeleted, rowsInserted, recomputed, rowsScanned, rows, phases, statements},
      shareOutsideSql: shareOutsideSql(phases, statements),
      ...{errorCode: null, error: null, startedAt},
      ...run,
    });
    await forgetPublications(client, table);
    await forgetRungs(client);
  });
  return {isMaintenanceDue: files.some(isMaintenanceDue)};
}

/** Of the table and of what is kept of its groups; that is what stands now, also for one who comes late to put a refresh down. */
async function lookAtFiles(
  session: Session,
  table: TableName,
): Promise<{files: readonly Files[]; keptGroups: KeptGroups | null}> {
  const groups = groupsTable(table);
  const [own, ofGroups] = await sizesOf(session, [table, groups]);
  assert(own && ofGroups, 'there is one size for each table');
  const state = ofGroups.files.data === 0 ? null : await readStanding(session, table);
  const kept = keptIn(state?.fingerprint ?? null);
  if (kept === null) return {files: [own.files], keptGroups: null};
  const keptGroups = {table: tableNameText(groups), rows: kept.rows, bytes: ofGroups.bytes};
  return {files: [own.files, ofGroups.files], keptGroups};
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

/** Failures that say nothing about the table: servers come back, others make way, and who cancels wants it so. */
const passingCodes: readonly ErrorCode[] = ['unavailable', 'superseded', 'cancelled'];

/**
 * Puts a failed run down, and suspends the table after too many scheduled ones in a row. A second attempt finds the first one's
 * entry and counts nothing, but sees to it that the schedule is paused and people are told; they are when PostgreSQL is what
 * has failed, too.
 */
export async function recordFailure(
  deps: Pick<Deps, 'metadata' | 'schedules' | 'alerts' | 'site' | 'scrub'>,
  input: RecordFailureInput,
): Promise<void> {
  const error = deps.scrub(input.message);
  let failed: Failed = {...input, error, failuresInARow: null, hasSuspended: false};
  try {
    failed = {...failed, ...(await putDown(deps, failed))};
  } finally {
    await tell(deps, failed);
  }
}

type Failed = Omit<RecordFailureInput, 'message'> & {
  readonly error: string;
  /** Null when nobody knows. */
  readonly failuresInARow: number | null;
  readonly hasSuspended: boolean;
};

async function putDown(
  {metadata, schedules}: Pick<Deps, 'metadata' | 'schedules'>,
  {table, trigger, dataVersion, code, error, startedAt, run}: Failed,
): Promise<Pick<Failed, 'table' | 'failuresInARow' | 'hasSuspended'>> {
  // It failed perhaps before it knew how the table's name is spelled.
  const known = (await allTables(metadata)).find(({name}) => isSameName(name, table));
  const {runId} = run;
  // The run has no refresh of its own; the id keeps a second attempt from being a second row.
  const refreshId = `failed ${runId}`;
  await inTransaction(metadata, async (client) => {
    const isNew = await insertMissingRefresh(client, {
      ...unknownRefresh,
      ...{table: known?.name ?? table, incarnation: known?.incarnation ?? null, refreshId, trigger, dataVersion},
      ...{errorCode: code, error, startedAt},
      ...run,
    });
    if (!isNew || known === undefined || trigger !== 'schedule' || passingCodes.includes(code)) return;
    await countFailure(client, known.name, known.incarnation, {code, error, runId});
  });
  const row = known === undefined ? null : await findTable(metadata, known.name);
  if (row === null) return {table, failuresInARow: null, hasSuspended: false};
  const {name, failuresInARow, suspension} = row;
  if (suspension?.kind !== 'failures' || suspension.runId !== runId)
    return {table: name, failuresInARow, hasSuspended: false};
  await markHasSuspended(metadata, refreshId);
  await schedules.pause(name, suspensionNote(name, suspension));
  return {table: name, failuresInARow, hasSuspended: true};
}

/** Of a run that others asked for they tell themselves; nobody needs to be told what he did. */
async function tell(
  {alerts, site}: Pick<Deps, 'alerts' | 'site'>,
  {table, trigger, code, error, failuresInARow, hasSuspended, run}: Failed,
): Promise<void> {
  if (code === 'cancelled' || trigger === 'upstream' || trigger === 'create') return;
  const facts = {table, at: new Date().toISOString(), code, error, trigger, failuresInARow, ...run};
  const raise = (kind: 'failure' | 'suspension', message: string): Promise<void> =>
    alerts.raise({kind, id: alertId(site.prefix, table, `${kind}-${run.runId}`), message, ...facts});
  await raise('failure', `The refresh of ${table} failed: ${error}`);
  if (!hasSuspended) return;
  await raise('suspension', `${table} is suspended after ${mostFailuresInARow} failed refreshes in a row: ${error}`);
}
