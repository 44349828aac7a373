import type {Publication} from '../src/refresh/messages.ts';
import type {Batch} from './batches.ts';
import {create, refresh, type Engine, type Refreshed} from './engine.ts';
import type {Ground} from './ground.ts';
import type {Person} from './person.ts';
import {rivalOf} from './rivals.ts';
import {coveredMs, now, type Statement, type Watch} from './statements.ts';
import type {View} from './views.ts';

/** The three ways to bring a view up to date; each has the view's tables in a schema of its name. */
export type WayName = 'incremental' | 'recomputation' | 'hand';

export const wayNames: readonly WayName[] = ['incremental', 'recomputation', 'hand'];

export type Run = {
  readonly ms: number;
  /** How much of it no statement ran. */
  readonly outsideSqlMs: number;
  readonly statements: readonly Statement[];
  /** Of the engine: one for each of the view's tables. */
  readonly refreshed: readonly Refreshed[];
};

/** Makes the view's tables, with their first contents, and answers how they are brought up to date after a batch. */
export type Ways = Readonly<Record<WayName, (batch: Batch) => Promise<Run>>>;

export async function prepareSchemas({writer}: Ground): Promise<void> {
  for (const schema of wayNames) await writer.run(`CREATE SCHEMA ${schema}`);
  await writer.run('CREATE TABLE hand.watermark (view VARCHAR, snapshot BIGINT)');
}

export async function prepareWays(ground: Ground, view: View, watch: Watch): Promise<Ways> {
  const {engineer, engine} = ground;
  const incremental = await engineKeeps(engine, view, 'incremental', ground.snapshot);
  const recomputation = await engineKeeps(engine, view, 'recomputation', ground.snapshot);
  await engineerKeeps(engineer, view);
  return {
    incremental: () => measured(watch, incremental),
    recomputation: () => measured(watch, recomputation),
    hand: (batch) => measured(watch, () => refreshByHand(engineer, view, batch)),
  };
}

async function measured(watch: Watch, work: () => Promise<readonly Refreshed[]>): Promise<Run> {
  watch.take();
  const startedAt = now();
  const refreshed = await work();
  const endedAt = now();
  const statements = watch.take();
  const inSql = coveredMs(statements, {startedAt, endedAt});
  return {ms: endedAt - startedAt, outsideSqlMs: endedAt - startedAt - inSql, statements, refreshed};
}

/**
 * Creates the dynamic tables and refreshes them for the first time. A full refresh of a table that others read incrementally publishes
 * the difference; nobody reads these so, and it replaces the rows, which is cheaper.
 */
async function engineKeeps(
  engine: Engine,
  {steps}: View,
  schema: 'incremental' | 'recomputation',
  snapshot: () => Promise<number>,
): Promise<() => Promise<readonly Refreshed[]>> {
  const mode = schema === 'recomputation' ? 'FULL' : 'AUTO';
  for (const {name, query} of steps) {
    await create(
      engine,
      `CREATE DYNAMIC TABLE ${schema}.${name} TARGET_LAG = '1 day' REFRESH_MODE = ${mode} AS ${query(schema)}`,
    );
  }
  let published: Readonly<Record<string, Publication>> = {};
  const refreshAll = async (): Promise<readonly Refreshed[]> => {
    const dataVersion = await snapshot();
    const all: Refreshed[] = [];
    for (const [place, {name}] of steps.entries()) {
      const table = `${schema}.${name}`;
      const hasReaders = schema === 'incremental' && place < steps.length - 1;
      const last = published[table] ?? null;
      const done = await refresh(engine, {table, dataVersion, upstreams: published, hasReaders, last});
      published = {...published, [table]: done.publication};
      all.push(done);
    }
    return all;
  };
  await refreshAll();
  return refreshAll;
}

async function engineerKeeps(engineer: Person, {name, steps}: View): Promise<void> {
  for (const step of steps) await engineer.run(`CREATE TABLE hand.${step.name} AS ${step.query('hand')}`);
  await engineer.run(`INSERT INTO hand.watermark SELECT '${name}', id FROM lake.current_snapshot()`);
}

async function refreshByHand(engineer: Person, view: View, batch: Batch): Promise<readonly Refreshed[]> {
  const ofView = `WHERE view = '${view.name}'`;
  await engineer.transaction(async () => {
    const [row] = await engineer.rows(
      `SELECT snapshot, (SELECT id FROM lake.current_snapshot()) FROM hand.watermark ${ofView}`,
    );
    const [from, to] = (row ?? []).map(Number);
    if (from === undefined || to === undefined) throw new Error(`hand.watermark has nothing of ${view.name}`);
    const statements = rivalOf(view)({first: from + 1, last: to}, batch.name);
    for (const statement of statements) await engineer.run(statement);
    await engineer.run(`UPDATE hand.watermark SET snapshot = ${to} ${ofView}`);
  });
  return [];
}
