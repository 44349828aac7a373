import {identifier, literal, sql} from '../sql.ts';
import type {TableName} from '../table-name.ts';
import {lakeAlias} from './alias.ts';
import type {Session} from './session.ts';

/**
 * Options of a table that we write, to be set after its creation and before its first row (it can't be done in the transaction that
 * creates it): how many rows at most stay in the catalog, and that lake-wide maintenance leaves it alone.
 */
export async function protect(
  session: Session,
  table: TableName,
  {inlinedRows}: {readonly inlinedRows: number},
): Promise<void> {
  const of = sql`schema => ${literal(table.schema)}, table_name => ${literal(table.name)}`;
  const setOption = sql`CALL ${identifier(lakeAlias)}.set_option`;
  await session.run(sql`${setOption}('data_inlining_row_limit', ${inlinedRows}, ${of})`);
  await session.run(sql`${setOption}('auto_compact', false, ${of})`);
}
