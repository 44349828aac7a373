import {assert} from '../assert.ts';
import type {TableName} from '../table-name.ts';
import {stretches, tableHistories, tablesAt, type LakeTable, type Stretch} from './catalog.ts';
import type {SnapshotChange} from './changes-made.ts';
import type {Session} from './session.ts';

/** A table, and the snapshots that somebody wants to know of, both ends included. */
export type Wanted = {readonly table: TableName; readonly from: number; readonly to: number};

export type Standing = {
  /** As of the last of the snapshots; null: it is not there. */
  readonly there: LakeTable | null;
  /** What was done to it from the first of the snapshots up to now, and perhaps before. */
  readonly history: readonly SnapshotChange[];
};

export type Past = Standing & {readonly stretch: Stretch};

/** The past of several tables, in as many statements as that of one. */
export async function pastsOf(session: Session, wanted: readonly Wanted[], now: number): Promise<Past[]> {
  const tables = await tablesAt(
    session,
    wanted.map(({table, to}) => ({table, snapshot: to})),
  );
  const left = await stretches(session, wanted);
  const tableIds = tables.flatMap((table) => (table === null ? [] : [table.tableId]));
  const historyOf = await tableHistories(session, tableIds, Math.min(...wanted.map(({from}) => from)) - 1, now);
  return wanted.map((_, i) => {
    const there = tables[i];
    const stretch = left[i];
    assert(there !== undefined && stretch, 'there is one of each for each that was asked for');
    return {there, stretch, history: there === null ? [] : historyOf(there.tableId)};
  });
}

/** How several tables stand at a snapshot, and what was done to each after another one, up to now. */
export async function standingsOf(
  session: Session,
  tables: readonly TableName[],
  {at, after}: {readonly at: number; readonly after: number},
): Promise<Standing[]> {
  const found = await tablesAt(
    session,
    tables.map((table) => ({table, snapshot: at})),
  );
  const tableIds = found.flatMap((table) => (table === null ? [] : [table.tableId]));
  const historyOf = await tableHistories(session, tableIds, after, Number.MAX_SAFE_INTEGER);
  return found.map((there) => ({there, history: there === null ? [] : historyOf(there.tableId)}));
}
