import {identifier, join, literal, sql} from '../sql.ts';
import type {TableName} from '../table-name.ts';
import {lakeAlias} from './alias.ts';
import {askedOfPostgres, postgresTable} from './catalog.ts';
import {LakeError} from './errors.ts';
import type {Session} from './session.ts';

/** A table that we write, and how many rows of one statement at most stay in the catalog. */
export type OwnTable = {readonly table: TableName; readonly inlinedRows: number};

/**
 * Sees to it that this instance knows the options of tables that we write: how many rows stay in the catalog, and that lake-wide
 * maintenance leaves them alone. To be called outside of a transaction, after a table's creation and before its first row.
 *
 * An instance reads all options when it attaches the lake and never again: what another process has set since, for a table made
 * since, it does not know, and would inline rows of a target. So each instance sets them for itself, once for each table.
 */
export async function protect(session: Session, tables: readonly OwnTable[]): Promise<void> {
  for (const {id, schema, name} of await idsOf(session, tables)) {
    const own = tables.find(({table}) => table.schema === schema && table.name === name);
    if (own === undefined || session.protectedTables.has(id)) continue;
    await setOptions(session, own);
    session.protectedTables.add(id);
  }
}

/**
 * Lets maintenance of ours at a table of ours: with `auto_compact` false DuckLake does nothing to it, also when the table is named.
 * For one who dies inside, the next attempt and every instance that writes the table for the first time put it right again; where
 * it was only cancelled, this one does so too.
 */
export async function whileCompactable(session: Session, table: TableName, work: () => Promise<void>): Promise<void> {
  await setOption(session, table, 'auto_compact', true);
  try {
    await work();
  } finally {
    await closeToCompaction(session, table).catch((error: unknown) => {
      session.protectedTables.clear();
      throw error;
    });
  }
}

/** Lake-wide maintenance then leaves the table alone, and so does what names it. */
export async function closeToCompaction(session: Session, table: TableName): Promise<void> {
  await setOption(session, table, 'auto_compact', false);
}

async function setOptions(session: Session, {table, inlinedRows}: OwnTable): Promise<void> {
  await setOption(session, table, 'data_inlining_row_limit', inlinedRows);
  await closeToCompaction(session, table);
}

async function setOption(
  session: Session,
  {schema, name}: TableName,
  option: string,
  value: number | boolean,
): Promise<void> {
  const of = sql`schema => ${literal(schema)}, table_name => ${literal(name)}`;
  const statement = sql`CALL ${identifier(lakeAlias)}.set_option(${literal(option)}, ${literal(value)}, ${of})`;
  await again(() => session.run(statement));
}

/** Another instance may be setting the same at this moment, which PostgreSQL refuses to one of them. */
async function again<T>(set: () => Promise<T>, attempts = 10): Promise<T> {
  try {
    return await set();
  } catch (error) {
    if (attempts <= 1 || !(error instanceof LakeError) || error.kind === 'statement') throw error;
    return await again(set, attempts - 1);
  }
}

async function idsOf(
  session: Session,
  tables: readonly OwnTable[],
): Promise<{id: number; schema: string; name: string}[]> {
  const names = tables.map(({table}) => sql`(${literal(table.schema)}, ${literal(table.name)})`);
  return await session.rows(
    sql`FROM ${askedOfPostgres(sql`SELECT t.table_id AS id, s.schema_name AS schema, t.table_name AS name
      FROM ${postgresTable(session, 'table')} AS t JOIN ${postgresTable(session, 'schema')} AS s USING (schema_id)
      WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL AND (s.schema_name, t.table_name) IN (${join(names)})`)}`,
  );
}
