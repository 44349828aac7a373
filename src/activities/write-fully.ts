import {createMirror} from '../binder/mirror.ts';
import {inLake} from '../lake/alias.ts';
import {createSuccessor, takePlace} from '../lake/target.ts';
import {difference, storedQuery} from '../refresh/apply.ts';
import type {Fence, Published} from '../refresh/messages.ts';
import {raw, sql} from '../sql.ts';
import type {TableName} from '../table-name.ts';
import {fillingOf} from './fill-groups.ts';
import {carryOut, countTarget, runAll, writeRows} from './publication-work.ts';
import type {Work, Wrote} from './publication-work.ts';
import {versionsOf} from './versions.ts';

/**
 * Runs the user's own text at the data version, so that it is right whatever our reading of it is worth.
 *
 * Rows that other dynamic tables read are replaced by their difference, which leaves the readers incremental. `anew`: the columns
 * may be others, so the rows go into a successor that takes the table's place in the same transaction.
 */
export async function writeFully(work: Work, lakeName: string, fence: Fence, anew: boolean): Promise<Published> {
  const {session, state, boundAt, target, decision, apply} = work;
  const mirror = await createMirror(session, {
    name: lakeName,
    reached: boundAt.reached,
    versionOf: versionsOf(apply).snapshotOf,
    isRun: true,
  });
  const query = storedQuery(raw(state.definition.query), target);
  const into = anew ? await successorOf(work) : state.table;
  const write = anew
    ? replaced(work, query, into)
    : apply.hasReaders && decision.action !== 'INITIAL'
      ? differing(work, query)
      : emptied(work, query);
  const {writesGroups, fill} = await fillingOf(work);
  const action = decision.action === 'INCREMENTAL' || decision.action === 'NO_DATA' ? 'FULL' : decision.action;
  try {
    return await carryOut(work, {
      ...{action, recomputed: 'all', fence, into, writesGroups},
      write: async () => {
        const written = await write();
        return {...written, groups: await fill(written.rows)};
      },
    });
  } finally {
    await mirror.drop();
  }
}

type Query = ReturnType<typeof storedQuery>;
type Filled = () => Promise<Omit<Wrote, 'groups'>>;

function successorOf({session, state: {table, definition, incarnation}, boundAt}: Work): Promise<TableName> {
  const columns = boundAt.bound.outputs.map(({name, storedType}) => ({name, type: storedType}));
  return createSuccessor(session, {table, columns, comment: definition.options.comment}, incarnation);
}

function replaced({session, state}: Work, query: Query, successor: TableName): Filled {
  const {table, rows: deleted} = state;
  return async () => {
    const inserted = await session.run(sql`INSERT INTO ${inLake(successor)}\n${query}`, 'recompute');
    await takePlace(session, table, successor);
    return {deleted, inserted, rows: inserted};
  };
}

function differing(work: Work, query: Query): Filled {
  return async () => {
    const before = await countTarget(work);
    if (!(await isToldByRowId(work, before))) return await emptied(work, query)();
    await runAll(work.session, difference(query, work.target));
    const {deleted, inserted} = await writeRows(work, work.target, 'rows');
    return {deleted, inserted, rows: before - deleted + inserted};
  };
}

/** Two transactions that insert a row and update it give both the same row id: a deletion of one would take the other too. */
async function isToldByRowId({session, target}: Work, rows: number): Promise<boolean> {
  const [ids] = await session.rows<{count: number}>(sql`SELECT count(DISTINCT rowid) AS count FROM ${target.table}`);
  return ids?.count === rows;
}

function emptied({session, target}: Work, query: Query): Filled {
  return async () => {
    const deleted = await session.run(sql`TRUNCATE ${target.table}`, 'empty the table');
    const inserted = await session.run(sql`INSERT INTO ${target.table}\n${query}`, 'recompute');
    return {deleted, inserted, rows: inserted};
  };
}
