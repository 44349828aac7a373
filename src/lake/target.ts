import {FreshetError} from '../errors.ts';
import {identifier, join, literal, raw, sql} from '../sql.ts';
import {tableNameText, type TableName} from '../table-name.ts';
import {inLake} from './alias.ts';
import {allNamesAt, currentSnapshot, lastWrite} from './catalog.ts';
import type {SnapshotChange} from './changes-made.ts';
import type {Session} from './session.ts';
import type {Published} from './state.ts';
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
  await refuseTaken(session, target.table);
  await createTable(session, target);
}

export async function refuseTaken(session: Session, table: TableName): Promise<void> {
  const {id} = await currentSnapshot(session);
  const other = (await allNamesAt(session, id)).find((candidate) => isSame(candidate.table, table));
  if (other !== undefined) {
    throw new FreshetError('already_exists', `The lake has a ${other.kind} ${tableNameText(other.table)} already`);
  }
}

/**
 * Contents whose columns are others need another table: a sibling, made with its options beforehand. In the publishing transaction
 * the rows go into it, and `takePlace` puts it where the old one was: rows, columns and state row change in one commit, and
 * nobody meets a table without its options. The name is the same for every attempt of one life of the table, so that one who died
 * leaves nothing for long, and nobody else's: what has it is dropped.
 */
export async function createSuccessor(session: Session, target: Target, incarnation: string): Promise<TableName> {
  const successor = successorOf(target.table, incarnation);
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
export async function dropTarget(session: Session, table: TableName, incarnation: string): Promise<void> {
  await session.run(sql`DROP TABLE IF EXISTS ${inLake(table)}`);
  await session.run(sql`DROP TABLE IF EXISTS ${inLake(successorOf(table, incarnation))}`);
}

function successorOf({schema}: TableName, incarnation: string): TableName {
  return {schema, name: `freshet_next_${incarnation}`};
}

async function createTable(session: Session, {table, columns, comment}: Target): Promise<void> {
  const definitions = columns.map(({name, type}) => sql`${identifier(name)} ${raw(type)}`);
  await session.run(sql`CREATE TABLE ${inLake(table)} (${join(definitions)})`);
  await protect(session, [ownTarget(table)]);
  if (comment !== null) await session.run(sql`COMMENT ON TABLE ${inLake(table)} IS ${literal(comment)}`);
}

/**
 * From which snapshot on somebody else's writes are not accounted for. They may lie before the publication's own: it commits later
 * than it reads, and what others insert meanwhile is no conflict.
 */
export function unaccountedFrom({fingerprint, snapshot}: Pick<Published, 'fingerprint' | 'snapshot'>): number {
  const asOf = fingerprint?.target?.asOf;
  return asOf === undefined ? snapshot : asOf + 1;
}

/** The last snapshot by which somebody else wrote rows that no publication has accounted for; null: none. */
export function writtenByOthers(session: Session, state: Published, tableId: number): Promise<number | null> {
  return lastWrite(session, tableId, unaccountedFrom(state) - 1, state.snapshot);
}

/** The same, of what is known of the table already. */
export function lastByOthers(state: Published, history: readonly SnapshotChange[]): number | null {
  const last = history.findLast(
    ({snapshot, inserts, deletes}) =>
      snapshot >= unaccountedFrom(state) && snapshot !== state.snapshot && (inserts || deletes),
  );
  return last?.snapshot ?? null;
}

function isSame(left: TableName, right: TableName): boolean {
  return (
    left.schema.toLowerCase() === right.schema.toLowerCase() && left.name.toLowerCase() === right.name.toLowerCase()
  );
}
