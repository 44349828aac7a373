import type {Json} from '@duckdb/node-api';
import {currentSnapshot, tableAt, tableHistory, type LakeTable} from '../../src/lake/catalog.ts';
import {feedParts, stageChange} from '../../src/lake/feed.ts';
import type {Session} from '../../src/lake/session.ts';
import {identifier, join, sql} from '../../src/sql.ts';
import {tableNameText, type TableName} from '../../src/table-name.ts';

/** The net change of a table's columns in (from, to] by its feed, as rows of texts and weight, in order. */
export async function changeOf(
  session: Session,
  name: TableName,
  {from, to, columns}: {readonly from: number; readonly to: number; readonly columns?: readonly string[]},
): Promise<Json[][]> {
  return await session.transaction(async () => {
    await currentSnapshot(session);
    const table = await standing(session, name, to);
    const parts = feedParts(await tableHistory(session, table.tableId, from, to), from, to);
    const used = columns ?? table.columns.map((column) => column.name);
    await stageChange(session, {table, columns: used, parts}, 'change');
    return await session
      // As text: ORDER BY makes 0.0 of −0.0.
      .rows<Record<string, Json>>(sql`SELECT columns(* EXCLUDE weight)::VARCHAR, weight FROM change ORDER BY ALL`)
      .then((rows) => rows.map((row) => Object.values(row)));
  });
}

export async function standing(session: Session, name: TableName, snapshot: number): Promise<LakeTable> {
  const table = await tableAt(session, name, snapshot);
  if (table === null) throw new Error(`No table ${tableNameText(name)} at snapshot ${snapshot}`);
  return table;
}

/** The same change by time travel: every row at both ends, the oracle for feeds. */
export async function changeByTimeTravel(
  session: Session,
  name: TableName,
  {from, to, columns}: {readonly from: number; readonly to: number; readonly columns: readonly string[]},
): Promise<Json[][]> {
  const list = join(columns.map(identifier));
  const text = join(columns.map((column) => sql`${identifier(column)}::VARCHAR`));
  const at = (snapshot: number) =>
    sql`freshet_lake.${identifier(name.schema)}.${identifier(name.name)} AT (VERSION => ${snapshot})`;
  return await session
    .rows<Record<string, Json>>(
      sql`SELECT ${text}, sum(weight)::BIGINT AS weight
        FROM (SELECT ${list}, 1 AS weight FROM ${at(to)} UNION ALL SELECT ${list}, -1 FROM ${at(from)})
        GROUP BY ${list}, ${text} HAVING sum(weight) <> 0 ORDER BY ALL`,
    )
    .then((rows) => rows.map((row) => Object.values(row)));
}
