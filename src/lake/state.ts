import {createHash} from 'node:crypto';
import type {Definition} from '../definition/definition.ts';
import {FreshetError} from '../errors.ts';
import type {Fence} from '../refresh/messages.ts';
import {literal, path, sql, type Sql} from '../sql.ts';
import {tableNameText, type TableName} from '../table-name.ts';
import {inLake, lakeAlias} from './alias.ts';
import {currentSnapshot, tableAt, tablesAt} from './catalog.ts';
import {isLakeError} from './errors.ts';
import type {Fingerprint} from './fingerprint.ts';
import type {Session} from './session.ts';
import {protect, type OwnTable} from './table-options.ts';

/** Where everything that Freshet must remember in the lake is kept. */
export const stateSchema = 'freshet_state';

/**
 * What the lake itself knows of a dynamic table: one row in a table of its own, written in the transaction that writes the rows.
 * All metadata can be rebuilt from it. One table for each, for two refreshes that update one table conflict.
 */
export type StateRow = {
  /** New with every CREATE. */
  readonly incarnation: string;
  /** +1 with every write of this row. */
  readonly generation: number;
  /** +1 only when rows moved. */
  readonly contents: number;
  /** Null: no contents yet. */
  readonly dataVersion: number | null;
  /** The refresh that published. */
  readonly refreshId: string | null;
  /** Rows of the target. */
  readonly rows: number;
  readonly definition: StoredDefinition;
  /** What the contents were made under; null before the first. */
  readonly fingerprint: Fingerprint | null;
  /** What they took in; empty before the first, and when the next refresh must begin anew. */
  readonly sources: readonly StoredSource[];
};

export type StoredDefinition = Definition & {
  /** The tables it can name and their columns as bound at creation: a column added later is not part of its `*`. */
  readonly reached: readonly {readonly table: TableName; readonly columns: readonly string[]}[];
  /** What was found wrong with our reading of the query at creation; it is never refreshed incrementally then. */
  readonly distrust: string | null;
};

export type StoredSource = {
  readonly source: string;
  readonly snapshot: number;
  /** Of the snapshot: a catalog restored from a backup gives ids out again. */
  readonly time: string;
  /** As really counted when it was taken in. */
  readonly rows: number;
  readonly upstream: {readonly incarnation: string; readonly contents: number} | null;
};

/** The row and the snapshot that wrote it. */
export type Published = StateRow & {readonly table: TableName; readonly snapshot: number};

/** Another refresh has written the state row since ours was looked up. */
export class FenceLost extends Error {
  constructor(table: TableName) {
    super(`Another refresh of ${tableNameText(table)} was first`);
    this.name = 'FenceLost';
  }
}

/** Injective up to case, as names are in DuckDB; plain where it can be, for people who look. */
export function stateTable(table: TableName): TableName {
  const text = tableNameText({schema: table.schema.toLowerCase(), name: table.name.toLowerCase()});
  const isPlain = /^[a-z0-9_.]{1,100}$/.test(text);
  return {schema: stateSchema, name: isPlain ? text : createHash('sha256').update(text).digest('hex').slice(0, 40)};
}

/**
 * Where what is kept of a dynamic table's groups lies, if its own rows don't show it: beside its state table, under a name that
 * no state table has.
 */
export function groupsTable(table: TableName): TableName {
  const {schema, name} = stateTable(table);
  return {schema, name: `${name}-groups`};
}

/** State rows are inlined always: rows in files are lost when the answer to a COMMIT is. */
export function ownState(table: TableName): OwnTable {
  return {table: stateTable(table), inlinedRows: 1_000_000};
}

/**
 * Makes the state table and its first row. What was left by a run that died on the way is gone over again; a row that stands
 * already is an error.
 */
export async function createState(session: Session, table: TableName, row: StateRow): Promise<void> {
  await makeStateTable(session, table);
  await session.transaction(() => insertRow(session, table, row));
}

async function makeStateTable(session: Session, table: TableName): Promise<void> {
  await session.run(sql`CREATE SCHEMA IF NOT EXISTS ${path(lakeAlias, stateSchema)}`);
  await session.run(sql`CREATE TABLE IF NOT EXISTS ${inLake(stateTable(table))} (${columnDefinitions})`);
  await protect(session, [ownState(table)]);
}

/** Callers are in a transaction. */
async function insertRow(session: Session, table: TableName, row: StateRow): Promise<void> {
  const name = inLake(stateTable(table));
  const [before] = await session.rows(sql`SELECT 1 FROM ${name}`);
  if (before !== undefined)
    throw new FreshetError('already_exists', `Dynamic table ${tableNameText(table)} exists already`);
  await session.run(sql`INSERT INTO ${name} VALUES (${values(table, row)})`);
}

/**
 * Moves the row to where that of `to` is, in the transaction of `work`, behind the fence: the old row must be there to go. What is left
 * is a table without a row, which is nothing's state.
 */
export async function moveState(
  session: Session,
  table: TableName,
  to: TableName,
  work: (state: Published) => Promise<StateRow>,
): Promise<void> {
  await makeStateTable(session, to);
  await session.transaction(async () => {
    const state = await readState(session, table);
    if (state === null) throw new FenceLost(table);
    const next = await work(state);
    const gone = await session.run(sql`DELETE FROM ${inLake(stateTable(table))} WHERE ${isFenced(state)}`, 'state row');
    if (gone !== 1) throw new FenceLost(table);
    await insertRow(session, to, {...next, generation: state.generation + 1});
  });
}

/** Null: no such dynamic table (at that snapshot). */
export async function readState(session: Session, table: TableName, atSnapshot?: number): Promise<Published | null> {
  const snapshot = atSnapshot ?? (await currentSnapshot(session)).id;
  const found = await tableAt(session, stateTable(table), snapshot);
  return found === null ? null : await readRow(session, found.table, atSnapshot);
}

/** Of several tables, all of one moment inside a transaction. */
export async function readStates(session: Session, tables: readonly TableName[]): Promise<(Published | null)[]> {
  const {id: snapshot} = await currentSnapshot(session);
  const found = await tablesAt(
    session,
    tables.map((table) => ({table: stateTable(table), snapshot})),
  );
  const states = [];
  for (const there of found) states.push(there === null ? null : await readRow(session, there.table));
  return states;
}

/** The same in a transaction, of a table that is there: of any other the statement fails, and with it the transaction. */
export async function readThere(session: Session, table: TableName): Promise<Published | null> {
  return await readRow(session, stateTable(table));
}

/** The same now, where a statement may fail: outside of a transaction. One statement for a table that is there. */
export async function readStanding(session: Session, table: TableName): Promise<Published | null> {
  try {
    return await readThere(session, table);
  } catch (error) {
    if (isLakeError(error, 'statement') && (await readState(session, table)) === null) return null;
    throw error;
  }
}

/** The states of all dynamic tables in the lake: enough to rebuild the metadata. */
export async function allStates(session: Session): Promise<Published[]> {
  // By a column of theirs, for groups are kept there too, and who knows what else.
  const names = await session.rows<{name: string}>(
    sql`SELECT table_name AS name FROM duckdb_columns()
      WHERE database_name = ${literal(lakeAlias)} AND schema_name = ${literal(stateSchema)}
        AND column_name = 'incarnation' ORDER BY table_name`,
  );
  const states = [];
  for (const {name} of names) states.push(await readRow(session, {schema: stateSchema, name}));
  return states.filter((state) => state !== null);
}

/**
 * One value: of each column that is compared with a constant DuckLake asks the catalog twice whether a file may have it, and state rows
 * are in none.
 */
function isFenced({incarnation, generation}: Fence): Sql {
  return sql`concat_ws(' ', incarnation, generation) = ${literal(`${incarnation} ${generation}`)}`;
}

/** Must stand in every transaction that writes the target. */
export async function fencedUpdate(session: Session, table: TableName, fence: Fence, next: StateRow): Promise<void> {
  const changed = await session.run(
    sql`UPDATE ${inLake(stateTable(table))}
SET generation = ${fence.generation + 1}, contents = ${next.contents}, data_version = ${literal(next.dataVersion)},
  refresh_id = ${literal(next.refreshId)}, "rows" = ${next.rows}, definition = ${json(next.definition)},
  fingerprint = ${json(next.fingerprint)}, sources = ${json(next.sources)}
WHERE ${isFenced(fence)}`,
    'state row',
  );
  if (changed !== 1) throw new FenceLost(table);
}

/** What is kept of the groups goes with it. */
export async function dropState(session: Session, table: TableName): Promise<void> {
  await session.run(sql`DROP TABLE IF EXISTS ${inLake(groupsTable(table))}`);
  await session.run(sql`DROP TABLE IF EXISTS ${inLake(stateTable(table))}`);
}

/** What is left where a state has moved from; another table of that name keeps its own. */
export async function dropMovedState(session: Session, table: TableName): Promise<void> {
  await session.transaction(async () => {
    if ((await readState(session, table)) === null) await dropState(session, table);
  });
}

const columnDefinitions = sql`"table" VARCHAR, incarnation VARCHAR, generation BIGINT, contents BIGINT, data_version BIGINT,
  refresh_id VARCHAR, "rows" BIGINT, definition VARCHAR, fingerprint VARCHAR, sources VARCHAR`;

function values(table: TableName, row: StateRow): Sql {
  return sql`${json(table)}, ${literal(row.incarnation)}, ${row.generation}, ${row.contents}, ${literal(row.dataVersion)},
    ${literal(row.refreshId)}, ${row.rows}, ${json(row.definition)}, ${json(row.fingerprint)}, ${json(row.sources)}`;
}

/**
 * The newest, should somebody's maintenance have brought dead ones back. Not by ORDER BY and LIMIT: for those DuckDB scans the table
 * twice, and each scan asks the catalog half a dozen times.
 */
async function readRow(session: Session, name: TableName, atSnapshot?: number): Promise<Published | null> {
  const at = atSnapshot === undefined ? sql`` : sql` AT (VERSION => ${atSnapshot})`;
  const rows = await session.rows<{
    table: string;
    incarnation: string;
    generation: number;
    contents: number;
    dataVersion: number | null;
    refreshId: string | null;
    rows: number;
    definition: string;
    fingerprint: string;
    sources: string;
    snapshot: number;
  }>(
    sql`SELECT "table", incarnation, generation, contents, data_version AS dataVersion, refresh_id AS refreshId, "rows",
      definition, fingerprint, sources, snapshot_id AS snapshot FROM ${inLake(name)}${at}`,
  );
  const [row] = rows.toSorted((one, other) => other.generation - one.generation);
  if (row === undefined) return null;
  // Written by us, in these shapes.
  return {
    ...row,
    table: JSON.parse(row.table) as TableName,
    definition: JSON.parse(row.definition) as StoredDefinition,
    fingerprint: JSON.parse(row.fingerprint) as Fingerprint | null,
    sources: JSON.parse(row.sources) as StoredSource[],
  };
}

function json(value: unknown): Sql {
  return literal(JSON.stringify(value));
}
