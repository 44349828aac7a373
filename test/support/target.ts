import {randomUUID} from 'node:crypto';
import {defaultSettings} from '../../src/definition/definition.ts';
import {publish, type PublicationWork} from '../../src/lake/publication.ts';
import type {Session} from '../../src/lake/session.ts';
import {createState, type StateRow} from '../../src/lake/state.ts';
import {createTarget, type TargetColumn} from '../../src/lake/target.ts';
import type {Publication} from '../../src/refresh/messages.ts';
import {raw} from '../../src/sql.ts';
import type {TableName} from '../../src/table-name.ts';

/** A state row as CREATE leaves it. */
export function firstState(table: TableName, incarnation: string = randomUUID()): StateRow {
  return {
    incarnation,
    generation: 0,
    contents: 0,
    dataVersion: null,
    refreshId: null,
    rows: 0,
    definition: {
      table,
      query: `SELECT 'it''s' AS v`,
      options: {
        targetLag: {kind: 'downstream'},
        refreshMode: 'AUTO',
        initialize: 'ON_CREATE',
        cardinalityThreshold: 0.3,
        comment: null,
      },
      settings: defaultSettings,
      reached: [],
      distrust: null,
    },
    fingerprint: null,
    sources: [],
  };
}

/** A target and its state, without contents. */
export async function create(
  session: Session,
  table: TableName,
  columns: readonly TargetColumn[] = [
    {name: 'k', type: 'INTEGER'},
    {name: 'v', type: 'VARCHAR'},
  ],
): Promise<StateRow> {
  const state = firstState(table);
  await createTarget(session, {table, columns, comment: 'made by a test'});
  await createState(session, table, state);
  return state;
}

export type Publishing = {
  readonly table: TableName;
  readonly state: StateRow;
  readonly generation: number;
  readonly statements: readonly string[];
  readonly refreshId?: string;
  readonly dataVersion?: number;
  readonly beforeCommit?: PublicationWork['beforeCommit'];
};

/** Publishes what some statements write: each is a DELETE, TRUNCATE or INSERT on the target. */
export async function publishStatements(session: Session, publishing: Publishing): Promise<Publication> {
  const {table, state, generation, statements, refreshId = randomUUID(), dataVersion = 1, beforeCommit} = publishing;
  return await publish(session, {
    table,
    groups: null,
    fence: {incarnation: state.incarnation, generation},
    refreshId,
    message: 'a test',
    extraInfo: {dataVersion},
    write: async () => {
      let deleted = 0;
      let inserted = 0;
      for (const statement of statements) {
        const changed = await session.run(raw(statement), statement.split(' ')[0]);
        if (statement.startsWith('INSERT')) inserted += changed;
        else deleted += changed;
      }
      return {deleted, inserted};
    },
    next: ({deleted, inserted}) => ({
      ...state,
      contents: generation + 1,
      dataVersion,
      rows: state.rows + inserted - deleted,
    }),
    ...(beforeCommit === undefined ? {} : {beforeCommit}),
  });
}
