import {randomUUID} from 'node:crypto';
import {Client, Connection} from '@temporalio/client';
import {checkCardinality} from '../../src/activities/check-cardinality.ts';
import {chooseVersion} from '../../src/activities/choose-version.ts';
import {checkStatement, createTarget, finishCreate, reserveTable} from '../../src/activities/create.ts';
import type {Deps} from '../../src/activities/deps.ts';
import {targetLagText} from '../../src/definition/target-lag.ts';
import {extractChanges} from '../../src/activities/extract-changes.ts';
import {lookUpSnapshots} from '../../src/activities/look-up-snapshots.ts';
import {publishRefresh} from '../../src/activities/publish-refresh.ts';
import {openMetadata} from '../../src/metadata/database.ts';
import {migrate} from '../../src/metadata/migrate.ts';
import type {Choice, Publication} from '../../src/refresh/messages.ts';
import type {Alert} from '../../src/workflows/messages.ts';
import {aLake, type TestLake} from './lake.ts';
import {temporalAddress} from './servers.ts';

/** Everything that activities work with, real but for the schedules and alerts, which it only keeps. */
export type TestDeps = TestLake &
  AsyncDisposable & {
    readonly deps: Deps;
    readonly scheduled: Set<string>;
    /** Target lags of the schedules that were changed. */
    readonly lags: ReadonlyMap<string, string>;
    /** Notes of the schedules that are paused. */
    readonly paused: ReadonlyMap<string, string>;
    readonly alerts: readonly Alert[];
    /** CREATE without the first refresh. */
    readonly create: (statement: string) => Promise<string>;
    /** What a run asks first. */
    readonly choose: (table: string, more?: Partial<Parameters<typeof chooseVersion>[1]>) => Promise<Choice>;
    /** Brings the table and all below to the version that a run would choose; metadata are not told. */
    readonly publish: (table: string, dataVersion?: number) => Promise<Publication>;
  };

export async function someDeps(): Promise<TestDeps> {
  const lake = await aLake();
  const metadata = openMetadata(lake.options.catalog);
  await migrate(metadata);
  const connection = await Connection.connect({address: temporalAddress()});
  const temporal = new Client({connection});
  const scheduled = new Set<string>();
  const lags = new Map<string, string>();
  const paused = new Map<string, string>();
  const alerts: Alert[] = [];
  const prefix = `test-${randomUUID().slice(0, 8)}-`;
  const deps: Deps = {
    lake: lake.lake,
    metadata,
    temporal: () => temporal,
    schedules: {
      create: ({table}) => Promise.resolve(void scheduled.add(table)),
      change: (request) => Promise.resolve(void lags.set(request.table, targetLagText(request.targetLag))),
      rename: (from, {table}) => Promise.resolve(void (scheduled.delete(from) && scheduled.add(table))),
      delete: (table) => Promise.resolve(void scheduled.delete(table)),
      pause: (table, note) => Promise.resolve(void paused.set(table, note)),
      noteOfPause: (table) => Promise.resolve(paused.get(table) ?? null),
      resume: ({table}) => Promise.resolve(paused.delete(table)),
    },
    alerts: {raise: (alert) => Promise.resolve(void alerts.push(alert)), post: () => Promise.resolve()},
    site: {prefix, computeTaskQueue: 'none', heartbeatSeconds: 10},
    scrub: (text) => text,
  };

  const choose: TestDeps['choose'] = async (table, more = {}) => {
    const run = {workflowId: `${prefix}run`, runId: randomUUID()};
    const plain = {dataVersion: null, freshAt: null, scheduledTime: null, full: false, trigger: 'manual' as const};
    return (await chooseVersion(deps, {...plain, table, run, ...more})).choice;
  };

  const publish: TestDeps['publish'] = async (table, dataVersion) => {
    const choice = await choose(table, {trigger: 'create', ...(dataVersion === undefined ? {} : {dataVersion})});
    if (choice.kind === 'no-data') return choice.publication;
    if (choice.kind !== 'refresh') throw new Error(`${table} is ${choice.kind}`);
    const upstreams: Record<string, Publication> = {};
    for (const name of choice.upstreams) upstreams[name] = await publish(name, choice.dataVersion);
    const {hasReaders} = choice;
    const apply = {
      table,
      dataVersion: choice.dataVersion,
      upstreams,
      hasReaders,
      full: false,
      trigger: 'manual',
    } as const;
    const input = {apply, refreshId: randomUUID()};
    const lookUp = await lookUpSnapshots(deps, input);
    if (lookUp.kind !== 'refresh') throw new Error(`${table} has ${lookUp.kind}`);
    const extraction = await extractChanges(deps, {...input, lookUp});
    const decision = await checkCardinality({lookUp, extraction});
    const published = await publishRefresh(deps, {...input, lookUp, extraction, decision});
    if (published.kind !== 'published') throw new Error(`${table}: ${published.kind}`);
    return published.publication;
  };

  return {
    ...lake,
    deps,
    scheduled,
    lags,
    paused,
    alerts,
    choose,
    publish,
    create: async (statement) => {
      const plan = await checkStatement(deps, {statement});
      const run = {workflowId: `${prefix}create-${plan.table}`, runId: randomUUID()};
      const made = {table: plan.table, incarnation: run.runId};
      await reserveTable(deps, {plan, run});
      await createTarget(deps, made);
      await finishCreate(deps, {...made, taskQueue: 'none'});
      return plan.table;
    },
    [Symbol.asyncDispose]: async () => {
      await metadata.end();
      await connection.close();
      await lake[Symbol.asyncDispose]();
    },
  };
}
