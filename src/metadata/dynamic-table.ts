import type {StoredColumn} from '../binder/bound.ts';
import type {ErrorCode} from '../errors.ts';
import {transitiveUpstreamsOf} from '../graph/edges.ts';
import type {StoredDefinition} from '../lake/state.ts';
import {rows, type Queryable} from './database.ts';

/** creating, dropping: a statement was cut off, or is at work; nobody refreshes such a table. */
export type TableState = 'creating' | 'active' | 'dropping';

/** As many scheduled failures in a row as are put up with. */
type FailureSuspension = {
  readonly kind: 'failures';
  readonly code: ErrorCode;
  /** What the last of them said. */
  readonly error: string;
  /** ISO 8601. */
  readonly since: string;
  /** The run that failed last. */
  readonly runId: string;
};

/** Somebody wanted it so. The tables that read it stand still too, which is put down nowhere: it follows from this. */
type UserSuspension = {
  readonly kind: 'user';
  /** ISO 8601. */
  readonly since: string;
  /** The run of the statement. */
  readonly runId: string;
};

/** Why a table's own schedule stands still. */
export type StoredSuspension = FailureSuspension | UserSuspension;

/** The hidden table of the lake that changes are merged into, as the last refresh left it. */
export type KeptGroups = {readonly table: string; readonly rows: number; readonly bytes: number};

/** A dynamic table as the metadata knows it. */
export type TableRow = {
  readonly name: string;
  /** Run id of the workflow that created it; `createdBy` is that workflow's id. */
  readonly incarnation: string;
  readonly createdBy: string;
  readonly state: TableState;
  readonly definition: StoredDefinition;
  readonly columns: readonly StoredColumn[];
  readonly sources: readonly string[];
  readonly mode: 'incremental' | 'full';
  /** In words, why it is refreshed fully. */
  readonly reasons: readonly string[];
  /** Null before the first refresh. */
  readonly dataVersion: number | null;
  /** When `dataVersion` was the newest snapshot of the lake, ISO 8601. */
  readonly freshAt: string | null;
  readonly rows: number | null;
  /** Failed scheduled runs since the last success. */
  readonly failuresInARow: number;
  readonly suspension: StoredSuspension | null;
  /** Since when scheduled runs have found its contents older than its target lag, ISO 8601. */
  readonly lagMissedAt: string | null;
  /** When its schedule went on last after it had stood still, or its target lag was changed, ISO 8601. */
  readonly lagCountedFrom: string | null;
  readonly keptGroups: KeptGroups | null;
  readonly createdAt: string;
};

const columns = `name, incarnation, created_by as "createdBy", state, definition, columns, sources, mode, reasons, data_version as "dataVersion",
  fresh_at as "freshAt", row_count as "rows", failures_in_a_row as "failuresInARow", suspension,
  lag_missed_at as "lagMissedAt", lag_counted_from as "lagCountedFrom", kept_groups as "keptGroups", created_at as "createdAt"`;

/** A new table; false when its name is taken. What was not given yet (version, rows) comes with the first refresh. */
export async function insertTable(
  database: Queryable,
  table: Pick<
    TableRow,
    'name' | 'incarnation' | 'createdBy' | 'state' | 'definition' | 'columns' | 'sources' | 'mode' | 'reasons'
  >,
): Promise<boolean> {
  const inserted = await database.query(
    `insert into freshet.dynamic_table (name, incarnation, created_by, state, definition, columns, sources, mode, reasons)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (name) do nothing`,
    [
      table.name,
      table.incarnation,
      table.createdBy,
      table.state,
      JSON.stringify(table.definition),
      JSON.stringify(table.columns),
      table.sources,
      table.mode,
      table.reasons,
    ],
  );
  return inserted.rowCount === 1;
}

export async function findTable(database: Queryable, name: string): Promise<TableRow | null> {
  const found = await rows<TableRow>(database, `select ${columns} from freshet.dynamic_table where name = $1`, [name]);
  return found[0] ?? null;
}

export async function allTables(database: Queryable): Promise<TableRow[]> {
  return rows<TableRow>(database, `select ${columns} from freshet.dynamic_table order by name`);
}

export async function setTableState(
  database: Queryable,
  name: string,
  incarnation: string,
  state: TableState,
): Promise<void> {
  await database.query(`update freshet.dynamic_table set state = $3 where name = $1 and incarnation = $2`, [
    name,
    incarnation,
    state,
  ]);
}

/** Another definition, and how the table is refreshed under it. */
export async function setDefinition(
  database: Queryable,
  name: string,
  incarnation: string,
  {
    definition,
    columns,
    sources,
    mode,
    reasons,
  }: Pick<TableRow, 'definition' | 'columns' | 'sources' | 'mode' | 'reasons'>,
): Promise<void> {
  await database.query(
    `update freshet.dynamic_table set definition = $3, columns = $4, sources = $5, mode = $6, reasons = $7,
       lag_counted_from = case
         when definition #> '{options,targetLag}' = $3::jsonb #> '{options,targetLag}' then lag_counted_from
         else now()
       end
     where name = $1 and incarnation = $2`,
    [name, incarnation, JSON.stringify(definition), JSON.stringify(columns), sources, mode, reasons],
  );
}

/**
 * Another name, with the table's history; who has only reserved it makes way. Publications are those of the old name: nobody reads the
 * table, so nobody asks for them. Callers are in a transaction.
 */
export async function renameTable(client: Queryable, name: string, incarnation: string, to: string): Promise<void> {
  await client.query(`delete from freshet.publication where dynamic_table = $1 and incarnation = $2`, [
    name,
    incarnation,
  ]);
  await client.query(`delete from freshet.dynamic_table where name = $1 and state = 'creating'`, [to]);
  await client.query(
    `update freshet.dynamic_table set name = $3, kept_groups = null where name = $1 and incarnation = $2`,
    [name, incarnation, to],
  );
  for (const table of ['refresh', 'verification'])
    await client.query(`update freshet.${table} set dynamic_table = $3 where dynamic_table = $1 and incarnation = $2`, [
      name,
      incarnation,
      to,
    ]);
}

/** Until the transaction ends nobody else changes what reads what, so that two changes don't make a cycle together. */
export async function lockSources(client: Queryable): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(hashtextextended('freshet.sources', 0))`);
}

/** What its query reads now. */
export async function setSources(
  client: Queryable,
  name: string,
  incarnation: string,
  sources: readonly string[],
): Promise<void> {
  await client.query(`update freshet.dynamic_table set sources = $3 where name = $1 and incarnation = $2`, [
    name,
    incarnation,
    sources,
  ]);
}

/**
 * Its contents now answer for `dataVersion`, which ends a row of failures. Never moves back, so that a late writer of metadata
 * does no harm.
 */
export async function moveTable(
  database: Queryable,
  name: string,
  incarnation: string,
  {dataVersion, freshAt, rows: rowCount}: {dataVersion: number; freshAt: string; rows: number},
): Promise<void> {
  await database.query(
    `update freshet.dynamic_table
     set data_version = $3, row_count = $5, fresh_at = greatest(fresh_at, $4), failures_in_a_row = 0
     where name = $1 and incarnation = $2 and (data_version is null or data_version <= $3)`,
    [name, incarnation, dataVersion, freshAt, rowCount],
  );
}

/** Null: nothing is kept. */
export async function setKeptGroups(
  database: Queryable,
  name: string,
  incarnation: string,
  groups: KeptGroups | null,
): Promise<void> {
  await database.query(
    `update freshet.dynamic_table set kept_groups = $3
     where name = $1 and incarnation = $2 and kept_groups is distinct from $3`,
    [name, incarnation, groups === null ? null : JSON.stringify(groups)],
  );
}

/** How many scheduled runs may fail in a row until the table is suspended. */
export const mostFailuresInARow = 5;

/** One more scheduled run has failed; suspends the table when that is one too many. */
export async function countFailure(
  database: Queryable,
  name: string,
  incarnation: string,
  failure: Pick<FailureSuspension, 'code' | 'error' | 'runId'>,
): Promise<void> {
  const suspension: FailureSuspension = {kind: 'failures', ...failure, since: new Date().toISOString()};
  await database.query(
    `update freshet.dynamic_table
     set failures_in_a_row = failures_in_a_row + 1,
       suspension = case when failures_in_a_row + 1 >= $3 then coalesce(suspension, $4) else suspension end
     where name = $1 and incarnation = $2`,
    [name, incarnation, mostFailuresInARow, JSON.stringify(suspension)],
  );
}

/** Somebody wants it to stand still, whatever it is called by now and had stopped it before; who wanted so first is remembered. */
export async function suspendByUser(database: Queryable, incarnation: string, runId: string): Promise<void> {
  const suspension: UserSuspension = {kind: 'user', since: new Date().toISOString(), runId};
  await database.query(
    `update freshet.dynamic_table set suspension = $2
     where incarnation = $1 and suspension->>'kind' is distinct from 'user'`,
    [incarnation, JSON.stringify(suspension)],
  );
}

/**
 * A table below this one, at any depth, that somebody has suspended: as long as there is one, this one stands still with it, or its
 * ticks would refresh that one. Null: there is none.
 */
export function suspendedBelow(name: string, tables: readonly TableRow[]): string | null {
  const suspended = tables.filter(({suspension}) => suspension?.kind === 'user').map((table) => table.name);
  return transitiveUpstreamsOf(name, tables).find((upstream) => suspended.includes(upstream)) ?? null;
}

/** Nothing keeps it from its schedule any more, and failures are counted from none. */
export async function liftSuspension(database: Queryable, incarnation: string): Promise<void> {
  await database.query(
    `update freshet.dynamic_table set suspension = null, failures_in_a_row = 0, lag_counted_from = now() where incarnation = $1`,
    [incarnation],
  );
}

/** A scheduled run has found the contents too old: since when that is so, as the first of them in a row has put it down. */
export async function markLagMissed(
  database: Queryable,
  name: string,
  incarnation: string,
): Promise<Pick<TableRow, 'lagMissedAt'>> {
  const marked = await rows<Pick<TableRow, 'lagMissedAt'>>(
    database,
    `update freshet.dynamic_table set lag_missed_at = coalesce(lag_missed_at, now()) where name = $1 and incarnation = $2
     returning lag_missed_at as "lagMissedAt"`,
    [name, incarnation],
  );
  return marked[0] ?? {lagMissedAt: null};
}

/** A scheduled run has found them as fresh as was promised. */
export async function markLagKept(database: Queryable, name: string, incarnation: string): Promise<void> {
  await database.query(`update freshet.dynamic_table set lag_missed_at = null where name = $1 and incarnation = $2`, [
    name,
    incarnation,
  ]);
}

/** Forgets the table; its history stays. */
export async function deleteTable(database: Queryable, name: string, incarnation: string): Promise<void> {
  await database.query(`delete from freshet.dynamic_table where name = $1 and incarnation = $2`, [name, incarnation]);
}
