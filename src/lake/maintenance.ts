import {literal, sql, type Sql} from '../sql.ts';
import type {TableName} from '../table-name.ts';
import {inLake, lakeAlias} from './alias.ts';
import {catalogTable} from './catalog.ts';
import type {Session} from './session.ts';
import {whileCompactable} from './table-options.ts';

/** Live files of a table. */
export type Files = {readonly data: number; readonly deletes: number};

/** From here on small files and delete files slow a table's readers and its own refreshes. */
const manyFiles = 200;

export async function isMaintenanceDue(session: Session, table: TableName): Promise<boolean> {
  const {data, deletes} = await filesOf(session, table);
  return data >= manyFiles || deletes >= manyFiles;
}

export async function filesOf(session: Session, {schema, name}: TableName): Promise<Files> {
  const [files] = await session.rows<Files>(
    sql`SELECT file_count AS data, delete_file_count AS deletes FROM ducklake_table_info(${literal(lakeAlias)}) AS t
      JOIN ${catalogTable(session, 'schema')} AS s ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL
      WHERE t.table_name = ${literal(name)} AND s.schema_name = ${literal(schema)}`,
  );
  return files ?? {data: 0, deletes: 0};
}

/**
 * Makes few, whole files of a target's many. Callers hold the refresh lock of its dynamic table: small deletes that commit beside
 * a compaction are lost. Not in one transaction with the state row, nor need it be, for it conflicts with deletes in files by itself.
 *
 * False: afterwards the catalog's count, the real one and `rows` do not agree. The target is then to be replaced.
 */
export async function maintain(session: Session, table: TableName, rows: number): Promise<boolean> {
  const of = sql`${literal(lakeAlias)}, ${literal(table.name)}, schema => ${literal(table.schema)}`;
  await whileCompactable(session, table, async () => {
    await session.run(sql`CALL ducklake_rewrite_data_files(${of}, delete_threshold => 0)`, 'rewrite files');
    await session.run(sql`CALL ducklake_merge_adjacent_files(${of})`, 'merge files');
  });
  const [counts] = await session.rows<{real: number; catalog: number}>(
    sql`SELECT (SELECT count(*) FROM ${inLake(table)}) AS real, ${rowsInCatalog(session, table)} AS catalog`,
  );
  return counts?.real === rows && counts.catalog === rows;
}

function rowsInCatalog(session: Session, {schema, name}: TableName): Sql {
  return sql`(SELECT coalesce(sum(f.record_count - coalesce(d.deleted, 0)), 0)::BIGINT
    FROM ${catalogTable(session, 'table')} AS t
    JOIN ${catalogTable(session, 'schema')} AS s ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL
    JOIN ${catalogTable(session, 'data_file')} AS f ON f.table_id = t.table_id AND f.end_snapshot IS NULL
    LEFT JOIN (
      SELECT data_file_id, sum(delete_count) AS deleted FROM ${catalogTable(session, 'delete_file')}
      WHERE end_snapshot IS NULL GROUP BY data_file_id) AS d ON d.data_file_id = f.data_file_id
    WHERE t.end_snapshot IS NULL AND t.table_name = ${literal(name)} AND s.schema_name = ${literal(schema)})`;
}
