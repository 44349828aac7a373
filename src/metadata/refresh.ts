import type {Action, Trigger} from '../refresh/action.ts';
import type {RefreshSummary, StatementProfile} from '../refresh/messages.ts';
import {rows, type Queryable} from './database.ts';

/** One refresh in the history; a run of ticks with nothing new is one of them, with a count. */
export type HistoryEntry = {
  readonly id: number;
  readonly table: string;
  readonly trigger: Trigger;
  /** Null when it failed before anything was decided. */
  readonly action: Action | null;
  /** In words, why this action. */
  readonly reason: string | null;
  readonly dataVersion: number | null;
  readonly sources: RefreshSummary['sources'];
  readonly changedRows: number | null;
  readonly affectedKeys: number | null;
  readonly ratio: number | null;
  readonly rowsDeleted: number | null;
  readonly rowsInserted: number | null;
  readonly recomputed: 'none' | 'keys' | 'all' | null;
  readonly rowsScanned: number | null;
  readonly rows: number | null;
  /** Milliseconds by phase. */
  readonly phases: Readonly<Record<string, number>>;
  readonly statements: readonly StatementProfile[];
  /** 0 to 1: how much of the phases' time was not spent in SQL. */
  readonly shareOutsideSql: number | null;
  readonly workflowId: string;
  readonly runId: string;
  readonly errorCode: string | null;
  readonly error: string | null;
  /** Whether it is the failure after which the table was suspended. */
  readonly hasSuspended: boolean;
  /** How many ticks this row stands for; more than 1 only with NO_DATA. */
  readonly ticks: number;
  readonly startedAt: string;
  readonly finishedAt: string;
};

/** A refresh as it is put down. */
export type NewRefresh = Omit<HistoryEntry, 'id' | 'ticks' | 'finishedAt' | 'hasSuspended'> & {
  readonly incarnation: string | null;
  readonly refreshId: string | null;
};

const columns = `id, dynamic_table as "table", trigger, action, reason, data_version as "dataVersion", sources,
  changed_rows as "changedRows", affected_keys as "affectedKeys", ratio, rows_deleted as "rowsDeleted",
  rows_inserted as "rowsInserted", recomputed, rows_scanned as "rowsScanned", row_count as "rows", phases, statements,
  share_outside_sql as "shareOutsideSql", workflow_id as "workflowId", run_id as "runId", error_code as "errorCode", error,
  has_suspended as "hasSuspended", ticks, started_at as "startedAt", finished_at as "finishedAt"`;

/** Puts down one refresh; a second time for the same refresh id it says the same again, in place. */
export async function insertRefresh(database: Queryable, refresh: NewRefresh): Promise<void> {
  await database.query(
    `${insert}
     on conflict (refresh_id) do update set
       trigger = excluded.trigger, action = excluded.action, reason = excluded.reason, sources = excluded.sources,
       changed_rows = excluded.changed_rows, affected_keys = excluded.affected_keys, ratio = excluded.ratio,
       rows_deleted = excluded.rows_deleted, rows_inserted = excluded.rows_inserted, recomputed = excluded.recomputed,
       rows_scanned = excluded.rows_scanned, phases = excluded.phases, statements = excluded.statements,
       share_outside_sql = excluded.share_outside_sql, workflow_id = excluded.workflow_id, run_id = excluded.run_id,
       error_code = excluded.error_code, error = excluded.error, started_at = excluded.started_at`,
    values(refresh),
  );
}

/** Puts down what is known of a refresh, unless there is an entry of that refresh id; false when there is. */
export async function insertMissingRefresh(database: Queryable, refresh: NewRefresh): Promise<boolean> {
  return (await database.query(`${insert} on conflict (refresh_id) do nothing`, values(refresh))).rowCount === 1;
}

/** It is the failure after which its table was suspended. */
export async function markHasSuspended(database: Queryable, refreshId: string): Promise<void> {
  await database.query('update freshet.refresh set has_suspended = true where refresh_id = $1', [refreshId]);
}

const insert = `insert into freshet.refresh (dynamic_table, incarnation, refresh_id, trigger, action, reason, data_version,
    sources, changed_rows, affected_keys, ratio, rows_deleted, rows_inserted, recomputed, rows_scanned, row_count, phases,
    statements, share_outside_sql, workflow_id, run_id, error_code, error, started_at, finished_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, now())`;

function values(refresh: NewRefresh): unknown[] {
  return [
    refresh.table,
    refresh.incarnation,
    refresh.refreshId,
    refresh.trigger,
    refresh.action,
    refresh.reason,
    refresh.dataVersion,
    JSON.stringify(refresh.sources),
    refresh.changedRows,
    refresh.affectedKeys,
    refresh.ratio,
    refresh.rowsDeleted,
    refresh.rowsInserted,
    refresh.recomputed,
    refresh.rowsScanned,
    refresh.rows,
    JSON.stringify(refresh.phases),
    JSON.stringify(refresh.statements),
    refresh.shareOutsideSql,
    refresh.workflowId,
    refresh.runId,
    refresh.errorCode,
    refresh.error,
    refresh.startedAt,
  ];
}

/** What is not known of a refresh, or does not apply to it. */
export const unknownRefresh = {
  incarnation: null,
  refreshId: null,
  action: null,
  reason: null,
  dataVersion: null,
  sources: [],
  changedRows: null,
  affectedKeys: null,
  ratio: null,
  rowsDeleted: null,
  rowsInserted: null,
  recomputed: null,
  rowsScanned: null,
  rows: null,
  phases: {},
  statements: [],
  shareOutsideSql: null,
  errorCode: null,
  error: null,
} satisfies Partial<NewRefresh>;

/**
 * One more refresh that moved no row: counted on the newest entry if that is one too, by the same trigger; else an entry of its
 * own. The entry tells of the last of them, and of all rows that had changed in the sources for nothing. Callers are in a
 * transaction.
 */
export async function countNoData(client: Queryable, refresh: NewRefresh): Promise<void> {
  const {table, incarnation, trigger, dataVersion, workflowId, runId, sources, changedRows, phases, statements} =
    refresh;
  // Somebody may have found its commit in the lake, and put it down, before its own run came to it.
  await client.query('delete from freshet.refresh where refresh_id = $1', [refresh.refreshId]);
  const counted = await client.query(
    `update freshet.refresh
     set ticks = ticks + 1, data_version = $4, finished_at = now(), workflow_id = $5, run_id = $6, sources = $7,
       changed_rows = coalesce(changed_rows, 0) + $8, phases = $9, statements = $10
     where id = (select max(id) from freshet.refresh where dynamic_table = $1 and incarnation = $2)
       and action = 'NO_DATA' and refresh_id is null and trigger = $3 and error is null and run_id <> $6`,
    [
      ...[table, incarnation, trigger, dataVersion, workflowId, runId],
      ...[JSON.stringify(sources), changedRows ?? 0, JSON.stringify(phases), JSON.stringify(statements)],
    ],
  );
  if (counted.rowCount === 0 && !(await isCounted(client, refresh))) {
    await insertRefresh(client, {...refresh, refreshId: null});
  }
}

/** Whether this very run has been counted: its activity ran twice. */
async function isCounted(client: Queryable, {table, runId}: NewRefresh): Promise<boolean> {
  const found = await client.query(
    `select from freshet.refresh where dynamic_table = $1 and run_id = $2 and action = 'NO_DATA'`,
    [table, runId],
  );
  return found.rowCount !== 0;
}

/** The newest first; of one table, or of all. */
export async function history(database: Queryable, table: string | null, limit: number): Promise<HistoryEntry[]> {
  return rows<HistoryEntry>(
    database,
    `select ${columns} from freshet.refresh where $1::text is null or dynamic_table = $1 order by id desc limit $2`,
    [table, limit],
  );
}

/** The newest of every table. */
export async function lastRefreshes(database: Queryable): Promise<HistoryEntry[]> {
  return rows<HistoryEntry>(
    database,
    `select distinct on (dynamic_table) ${columns} from freshet.refresh order by dynamic_table, id desc`,
  );
}
