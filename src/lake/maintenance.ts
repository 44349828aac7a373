import {join, literal, sql, type Sql} from '../sql.ts';
import type {TableName} from '../table-name.ts';
import {inLake, lakeAlias} from './alias.ts';
import {askedOfPostgres, catalogTable, postgresTable} from './catalog.ts';
import type {Session} from './session.ts';
import {readStanding, stateTable} from './state.ts';
import {whileCompactable} from './table-options.ts';

/** Live files of a table: `small` are those data files that would go into a larger one. */
export type Files = {readonly data: number; readonly small: number; readonly deletes: number};

/**
 * From here on small files and delete files slow a table's readers and its own refreshes: with a hundred of them, on a million rows and a busy machine,
 * a refresh took one and a half times as long as with none.
 */
const manyFiles = 50;
/** Merging makes files of up to 512 MB: what is larger than this may find no other to go with. */
const smallBytes = 128 * 1024 ** 2;

export function isMaintenanceDue({small, deletes}: Files): boolean {
  return small >= manyFiles || deletes >= manyFiles;
}

/** Whether maintenance would change anything. */
export function isTidy({small, deletes}: Files): boolean {
  return small <= 1 && deletes === 0;
}

export async function filesOf(session: Session, table: TableName): Promise<Files> {
  const [size] = await sizesOf(session, [table]);
  return size?.files ?? noFiles;
}

/** `bytes`: of its live data files. */
export type Size = {readonly files: Files; readonly bytes: number};

const noFiles: Files = {data: 0, small: 0, deletes: 0};

/** Of several tables, one for each. */
export async function sizesOf(session: Session, tables: readonly TableName[]): Promise<Size[]> {
  const each = tables.map(
    (table, place) => sql`SELECT ${place} AS place, count(*) AS data,
        count(*) FILTER (WHERE file_size_bytes < ${smallBytes}) AS small, count(deleted) AS deletes,
        coalesce(sum(file_size_bytes), 0)::BIGINT AS bytes
      FROM (${liveFiles(session, table)}) AS files`,
  );
  const rows = await session.rows<Files & {bytes: number; place: number}>(
    sql`FROM ${askedOfPostgres(join(each, ' UNION ALL '))} ORDER BY place`,
  );
  return rows.map(({data, small, deletes, bytes}) => ({files: {data, small, deletes}, bytes}));
}

/**
 * Makes few, whole files of a target's many. Callers hold the refresh lock of its dynamic table: small deletes that commit beside
 * a compaction are lost. Not in one transaction with the state row, nor need it be, for it conflicts with deletes in files by itself.
 */
export async function tidy(session: Session, table: TableName): Promise<void> {
  const of = sql`${literal(lakeAlias)}, ${literal(table.name)}, schema => ${literal(table.schema)}`;
  await whileCompactable(session, table, async () => {
    await session.run(sql`CALL ducklake_rewrite_data_files(${of}, delete_threshold => 0)`, 'rewrite files');
    await session.run(sql`CALL ducklake_merge_adjacent_files(${of})`, 'merge files');
  });
}

/** Dead versions of a state row: from `many` on all but the newest `kept` are taken away. */
export type DeadStates = {readonly many: number; readonly kept: number};

const deadStates: DeadStates = {many: 10_000, kept: 1_000};

/**
 * Each publication leaves a dead version of the state row in PostgreSQL, and every look at the state reads them all: 100,000 of them
 * make a publication four times as slow. DuckLake never takes them away. Nobody asks for a state that is a thousand publications old;
 * a version that lives has no end, so none of these is it. Answers how many went.
 */
export async function forgetDeadStates(
  session: Session,
  table: TableName,
  {many, kept}: DeadStates = deadStates,
): Promise<number> {
  const {schema, name} = stateTable(table);
  const tables = await session.rows<{name: string}>(
    sql`SELECT i.table_name AS name FROM ${catalogTable(session, 'inlined_data_tables')} AS i
      JOIN ${catalogTable(session, 'table')} AS t ON t.table_id = i.table_id AND t.end_snapshot IS NULL
      JOIN ${catalogTable(session, 'schema')} AS s ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL
      WHERE t.table_name = ${literal(name)} AND s.schema_name = ${literal(schema)}`,
  );
  let gone = 0;
  for (const inlined of tables) {
    const versions = catalogTable(session, inlined.name.replace(/^ducklake_/, ''));
    const [dead] = await session.rows<{count: number}>(sql`SELECT count(end_snapshot) AS count FROM ${versions}`);
    if (dead === undefined || dead.count < many) continue;
    const [oldest] = await session.rows<{snapshot: number}>(
      sql`SELECT end_snapshot AS snapshot FROM ${versions} WHERE end_snapshot IS NOT NULL
        ORDER BY end_snapshot DESC LIMIT 1 OFFSET ${kept}`,
    );
    if (oldest === undefined) continue;
    gone += await session.run(sql`DELETE FROM ${versions} WHERE end_snapshot <= ${oldest.snapshot}`);
  }
  return gone;
}

/** How many rows the last publication left, and how many there are. */
export type Damage = {readonly expected: number; readonly found: number};

/**
 * Whether a target holds other rows than its publication left, by a real count or by the catalog's; null: it does not. A table that
 * was never published, or is published meanwhile, is not judged.
 */
export async function damageOf(session: Session, table: TableName): Promise<Damage | null> {
  const before = await readStanding(session, table);
  if (before === null || before.dataVersion === null) return null;
  const left = sql`SELECT coalesce(sum(record_count - coalesce(deleted, 0)), 0)::BIGINT AS "rows"
    FROM (${liveFiles(session, table)}) AS files`;
  const [counts] = await session.rows<{real: number; catalog: number}>(
    sql`SELECT (SELECT count(*) FROM ${inLake(table)}) AS real, (SELECT "rows" FROM ${askedOfPostgres(left)}) AS catalog`,
  );
  const after = await readStanding(session, table);
  if (counts === undefined || after?.generation !== before.generation) return null;
  const found = [counts.real, counts.catalog].find((count) => count !== before.rows);
  return found === undefined ? null : {expected: before.rows, found};
}

/** As PostgreSQL is asked. */
function liveFiles(session: Session, {schema, name}: TableName): Sql {
  return sql`SELECT f.record_count, f.file_size_bytes,
      (SELECT sum(delete_count) FROM ${postgresTable(session, 'delete_file')} AS d
       WHERE d.data_file_id = f.data_file_id AND d.table_id = f.table_id AND d.end_snapshot IS NULL) AS deleted
    FROM ${postgresTable(session, 'table')} AS t
    JOIN ${postgresTable(session, 'schema')} AS s ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL
    JOIN ${postgresTable(session, 'data_file')} AS f ON f.table_id = t.table_id AND f.end_snapshot IS NULL
    WHERE t.end_snapshot IS NULL AND t.table_name = ${literal(name)} AND s.schema_name = ${literal(schema)}`;
}
