import type {Reason} from '../delta/reason.ts';
import {identifier, join, raw, sql} from '../sql.ts';
import type {TableName} from '../table-name.ts';
import {inLake} from './alias.ts';
import {currentSnapshot, tableAt, type LakeTable} from './catalog.ts';
import {isTargetChanged, type FingerprintedGroups} from './fingerprint.ts';
import {isReadable} from './publication.ts';
import type {Session} from './session.ts';
import {groupsTable, type Published} from './state.ts';
import {protect} from './table-options.ts';
import {ownTarget, writtenByOthers} from './target.ts';

type KeptColumn = {readonly name: string; readonly storedType: string};

/**
 * Sees to it that the hidden table of groups stands with its columns and options, for a transaction that fills it anew. Outside
 * of it, for a table's options can only be set once it is there. A run that dies here leaves a table that nothing refers to:
 * the next one takes it, and dropping the dynamic table drops it.
 */
export async function readyGroups(
  session: Session,
  table: TableName,
  columns: readonly KeptColumn[],
): Promise<LakeTable> {
  const name = groupsTable(table);
  const before = await standingGroups(session, table, (await currentSnapshot(session)).id);
  if (before !== null && hasColumns(before, columns) && (await isReadable(session, name))) return before;
  await dropGroups(session, table);
  const definitions = columns.map((column) => sql`${identifier(column.name)} ${raw(column.storedType)}`);
  await session.run(sql`CREATE TABLE ${inLake(name)} (${join(definitions)})`);
  await protect(session, [ownTarget(name)]);
  const made = await standingGroups(session, table, (await currentSnapshot(session)).id);
  if (made === null) throw new Error(`The table of groups that was just made is not there`);
  return made;
}

export async function dropGroups(session: Session, table: TableName): Promise<void> {
  await session.run(sql`DROP TABLE IF EXISTS ${inLake(groupsTable(table))}`);
}

async function standingGroups(session: Session, table: TableName, now: number): Promise<LakeTable | null> {
  return await tableAt(session, groupsTable(table), now);
}

function hasColumns({columns}: LakeTable, wanted: readonly KeptColumn[]): boolean {
  return (
    columns.length === wanted.length &&
    wanted.every(({name, storedType}, i) => columns[i]?.name === name && columns[i].type === storedType)
  );
}

/** Why what is kept of the groups is not what the last publication left; null: it is. */
export async function groupsAmiss(
  session: Session,
  state: Published,
  kept: FingerprintedGroups,
  now: number,
): Promise<Reason | null> {
  const there = await standingGroups(session, state.table, now);
  if (there === null || isTargetChanged(kept, there)) return {kind: 'groups-lost'};
  const snapshot = await writtenByOthers(session, state, there.tableId);
  return snapshot === null ? null : {kind: 'target-written', snapshot};
}
