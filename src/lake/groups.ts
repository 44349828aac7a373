import {assert} from '../assert.ts';
import type {Reason} from '../delta/reason.ts';
import {identifier, join, raw, sql} from '../sql.ts';
import type {TableName} from '../table-name.ts';
import {inLake} from './alias.ts';
import {currentSnapshot, tableAt, type LakeTable} from './catalog.ts';
import {isTargetChanged, type FingerprintedGroups} from './fingerprint.ts';
import {standingsOf, type Standing} from './past.ts';
import {isReadable} from './publication.ts';
import type {Session} from './session.ts';
import {groupsTable, type Published} from './state.ts';
import {protect} from './table-options.ts';
import {lastByOthers, ownTarget, unaccountedFrom} from './target.ts';

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

/** Why what is kept of the groups, as it stands now, is not what the last publication left; null: it is. */
export function groupsAmiss(state: Published, kept: FingerprintedGroups, {there, history}: Standing): Reason | null {
  if (there === null || isTargetChanged(kept, there)) return {kind: 'groups-lost'};
  const snapshot = lastByOthers(state, history);
  return snapshot === null ? null : {kind: 'target-written', snapshot};
}

/** How the tables of a dynamic table's own stand, and what was done to them that its publication has not accounted for. */
export async function ownStandings(
  session: Session,
  state: Published,
  asOf: number,
  into = state.table,
): Promise<{readonly target: Standing; readonly groups: Standing}> {
  const after = unaccountedFrom(state) - 1;
  const [target, groups] = await standingsOf(session, [into, groupsTable(state.table)], {at: asOf, after});
  assert(target && groups, 'there is one for each table');
  return {target, groups};
}
