import {FreshetError} from '../errors.ts';
import {identifier, join, literal, raw, sql} from '../sql.ts';
import {tableNameText, type TableName} from '../table-name.ts';
import {inLake} from './alias.ts';
import {allNamesAt, currentSnapshot} from './catalog.ts';
import type {Session} from './session.ts';
import {protect, type OwnTable} from './table-options.ts';

export type TargetColumn = {readonly name: string; readonly type: string};
export type Target = {
  readonly table: TableName;
  readonly columns: readonly TargetColumn[];
  readonly comment: string | null;
};

/** Rows of a target lie in files: tombstones in the catalog would be sent again with every retry of a commit. */
export function ownTarget(table: TableName): OwnTable {
  return {table, inlinedRows: 0};
}

/** Makes an empty target with its options. Refuses when the lake has another object of that name. */
export async function createTarget(session: Session, target: Target): Promise<void> {
  const {table} = target;
  const {id} = await currentSnapshot(session);
  const other = (await allNamesAt(session, id)).find((candidate) => isSame(candidate.table, table));
  if (other !== undefined) {
    throw new FreshetError('already_exists', `The lake has a ${other.kind} ${tableNameText(other.table)} already`);
  }
  await createTable(session, target);
}

/**
 * Contents whose columns are others need another table: a sibling, made with its options beforehand. In the publishing transaction
 * the rows go into it, and `takePlace` puts it where the old one was: rows, columns and state row change in one commit, and
 * nobody meets a table without its options. The name is the same for every attempt, so that one who died leaves nothing for long.
 */
export async function createSuccessor(session: Session, target: Target): Promise<TableName> {
  const successor = {schema: target.table.schema, name: `freshet_next_${target.table.name}`};
  await session.run(sql`DROP TABLE IF EXISTS ${inLake(successor)}`);
  await createTable(session, {...target, table: successor});
  return successor;
}

/** Inside the publishing transaction, after the rows were written into the successor. */
export async function takePlace(session: Session, table: TableName, successor: TableName): Promise<void> {
  await session.run(sql`DROP TABLE IF EXISTS ${inLake(table)}`);
  await session.run(sql`ALTER TABLE ${inLake(successor)} RENAME TO ${identifier(table.name)}`);
}

/** Also what an attempt to replace it may have left. */
export async function dropTarget(session: Session, table: TableName): Promise<void> {
  await session.run(sql`DROP TABLE IF EXISTS ${inLake(table)}`);
  await session.run(sql`DROP TABLE IF EXISTS ${inLake({...table, name: `freshet_next_${table.name}`})}`);
}

async function createTable(session: Session, {table, columns, comment}: Target): Promise<void> {
  const definitions = columns.map(({name, type}) => sql`${identifier(name)} ${raw(type)}`);
  await session.run(sql`CREATE TABLE ${inLake(table)} (${join(definitions)})`);
  await protect(session, [ownTarget(table)]);
  if (comment !== null) await session.run(sql`COMMENT ON TABLE ${inLake(table)} IS ${literal(comment)}`);
}

function isSame(left: TableName, right: TableName): boolean {
  return (
    left.schema.toLowerCase() === right.schema.toLowerCase() && left.name.toLowerCase() === right.name.toLowerCase()
  );
}
