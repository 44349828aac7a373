import {identifier, sql, type Sql} from '../sql.ts';

/**
 * For `=`, `IN` and joins DuckLake 1.0 leaves out files whose least and greatest value say that they hold nothing of what is looked
 * for. It notes them as texts: those of BLOBs as hexadecimal digits, those of FLOATs with fewer digits than it looks for. Files
 * that hold it are left out then, and rows lost, without an error. (Keys '\xAA' and 1e-30, measured.)
 */
export function isPrunedWrongly(type: string): boolean {
  return type === 'BLOB' || type === 'FLOAT';
}

/** A column as one of a SELECT, so that DuckLake knows nothing of it where it would leave out files by it wrongly. */
export function unpruned({name, type}: {readonly name: string; readonly type: string}): Sql {
  const column = identifier(name);
  if (!isPrunedWrongly(type)) return column;
  return type === 'FLOAT' ? sql`-(-${column}) AS ${column}` : sql`${column} || ''::BLOB AS ${column}`;
}
