import {assert} from '../assert.ts';
import type {TableName} from '../table-name.ts';
import {stretches, tableHistories, tablesAt, type LakeTable, type Stretch} from './catalog.ts';
import type {SnapshotChange} from './changes-made.ts';
import type {Session} from './session.ts';

/** A table, and the snapshots that somebody wants to know of, both ends included. */
export type Wanted = {readonly table: TableName; readonly from: number; readonly to: number};

export type Past = {
  /** As of the last of the snapshots; null: it is not there. */
  readonly there: LakeTable | null;
  readonly stretch: Stretch;
  /** What was done to it from the first of the snapshots up to now, and perhaps before. */
  readonly history: readonly SnapshotChange[];
};

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
