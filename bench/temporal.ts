import path from 'node:path';
import {Client, Connection} from '@temporalio/client';
import {bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker} from '@temporalio/worker';
import {FreshetClient} from '../src/client.ts';
import type {Config} from '../src/config.ts';
import {until} from '../src/dev/process.ts';
import {startTemporal} from '../src/dev/temporal-server.ts';
import {FreshetPlugin, ownWorkflows} from '../src/plugin.ts';
import type {RefreshResult} from '../src/refresh/messages.ts';
import {computeTaskQueue, scheduleId, taskQueue} from '../src/temporal-names.ts';
import {batchesOver} from './batches.ts';
import {generated} from './data.ts';
import {openGround, type Ground, type Site} from './ground.ts';
import {change} from './measure.ts';
import {memoryLimitBytes, threads} from './person.ts';
import {median, tenths} from './result.ts';
import {coveredMs, type Watch} from './statements.ts';
import {views} from './views.ts';
import {prepareSchemas, prepareWays} from './ways.ts';

/** Medians, in milliseconds, from a workflow's start to its close as Temporal dates them. */
export type TemporalFigures = {
  /** A run that a table's schedule starts and that finds nothing new. */
  readonly idleTick: Timed;
  /** 10,000 groups after 0.1 % inserts: by Temporal, and right after by the engine alone. */
  readonly small: Timed & {readonly withoutTemporalMs: number};
  /** A recomputation of five seconds, more or less. */
  readonly heavy: Timed;
};

export type Timed = {readonly ms: number; readonly outsideSqlMs: number};

const ticks = 11;
const heavyRounds = 3;

/** Some 360 million pairs of lines. */
const heavyQuery = `SELECT a.l_returnflag, sum(a.l_quantity * b.l_quantity) AS product
FROM lineitem AS a JOIN lineitem AS b ON a.l_suppkey = b.l_suppkey
WHERE a.l_orderkey <= 600000
GROUP BY a.l_returnflag`;

/** Has a development server run the workflows, in a worker of this process, whose statements can be watched. */
export async function measureTemporal(
  site: Site,
  rounds: number,
  watch: Watch,
): Promise<{readonly figures: TemporalFigures; readonly wrong: readonly string[]}> {
  const stops: (() => Promise<void>)[] = [];
  try {
    const server = await startTemporal({folder: path.join(site.folder, 'temporal')});
    stops.push(server.stop);
    const ground = await openGround(site, 'temporal');
    stops.push(ground.leave);
    stops.push(await startWorker(configOf(ground, server.address)));
    const connection = await Connection.connect({address: server.address});
    stops.push(() => connection.close());
    const temporal = new Client({connection});
    const client = new FreshetClient({temporal, metadataUrl: ground.url});
    stops.push(() => client.close());
    const stage = {ground, temporal, client, watch};
    const small = await smallRefreshes(stage, rounds);
    const idleTick = await idleTicks(stage);
    const heavy = await heavyRefreshes(stage);
    const verdicts = [await client.verify('suppliers'), await client.verify('heavy')];
    const wrong = verdicts.filter(({verdict}) => verdict !== 'equal').map(({table}) => `${table} (by Temporal)`);
    return {figures: {idleTick, small, heavy}, wrong};
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

type Stage = {
  readonly ground: Ground;
  readonly temporal: Client;
  readonly client: FreshetClient;
  readonly watch: Watch;
};

/** The first two are not counted: what is merged into is kept from the second change on. */
async function smallRefreshes(stage: Stage, rounds: number): Promise<TemporalFigures['small']> {
  const {ground, client, watch} = stage;
  const view = views.find(({name}) => name === 'suppliers')!; // One of them.
  const inserts = batchesOver(generated)[0]!; // The first of them.
  await prepareSchemas(ground);
  const ways = await prepareWays(ground, view, watch);
  await client.create(`CREATE DYNAMIC TABLE suppliers TARGET_LAG = '1 day' AS ${view.steps[0]?.query('main')}`);
  const timed: Timed[] = [];
  const without: number[] = [];
  for (let round = 0; round < rounds + 2; round++) {
    await change(ground, inserts.statements({share: 0.001, round, rounds}));
    timed.push(await refreshed(stage, 'suppliers'));
    without.push((await ways.incremental(inserts)).ms);
  }
  return {...medians(timed.slice(2)), withoutTemporalMs: tenths(median(without.slice(2)))};
}

async function idleTicks(stage: Stage): Promise<Timed> {
  const {temporal} = stage;
  const schedule = temporal.schedule.getHandle(scheduleId('', 'main.suppliers'));
  const timed: Timed[] = [];
  for (let tick = 0; tick <= ticks; tick++) {
    const before = (await schedule.describe()).info.numActionsTaken;
    await schedule.trigger();
    let started: string | undefined;
    const hasStarted = async (): Promise<boolean> => {
      const {info} = await schedule.describe();
      started = info.recentActions.at(-1)?.action.workflow.workflowId;
      return info.numActionsTaken > before;
    };
    if (!(await until(hasStarted, 10_000)) || started === undefined) throw new Error('A tick did not start');
    timed.push(await timeOf(stage, started, 'no-data'));
  }
  return medians(timed.slice(1));
}

async function heavyRefreshes(stage: Stage): Promise<Timed> {
  const {ground, client} = stage;
  await client.create(`CREATE DYNAMIC TABLE heavy TARGET_LAG = '1 day' REFRESH_MODE = FULL AS ${heavyQuery}`);
  const timed: Timed[] = [];
  for (let round = 0; round < heavyRounds; round++) {
    await change(ground, [`UPDATE lineitem SET l_quantity = l_quantity + 1 WHERE l_orderkey = ${round + 1}`]);
    timed.push(await refreshed(stage, 'heavy'));
  }
  return medians(timed);
}

async function refreshed(stage: Stage, table: string): Promise<Timed> {
  stage.watch.take();
  const handle = await stage.client.refresh(table);
  return await timeOf(stage, handle.workflowId, 'refreshed');
}

/** Of a run that must end as it is meant to: another one is another thing to measure. */
async function timeOf({temporal, watch}: Stage, workflowId: string, outcome: RefreshResult['outcome']): Promise<Timed> {
  const handle = temporal.workflow.getHandle<() => Promise<RefreshResult>>(workflowId);
  const result = await handle.result();
  if (result.outcome !== outcome) throw new Error(`${workflowId} ended as ${result.outcome}`);
  const {startTime, closeTime} = await handle.describe();
  if (closeTime === undefined) throw new Error(`${workflowId} has not ended`);
  const during = {startedAt: startTime.getTime(), endedAt: closeTime.getTime()};
  const ms = during.endedAt - during.startedAt;
  return {ms, outsideSqlMs: ms - coveredMs(watch.take(), during)};
}

function medians(timed: readonly Timed[]): Timed {
  return {
    ms: tenths(median(timed.map(({ms}) => ms))),
    outsideSqlMs: tenths(median(timed.map(({outsideSqlMs}) => outsideSqlMs))),
  };
}

/** Both task queues, as `freshet worker` serves them. */
async function startWorker(config: Config): Promise<() => Promise<void>> {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({logger, telemetryOptions: {logging: {forward: {}, filter: {core: 'ERROR', other: 'ERROR'}}}});
  const connection = await NativeConnection.connect(config.temporal.connectionOptions);
  const plugins = [new FreshetPlugin({config, computeTaskQueue: computeTaskQueue(taskQueue(''))})];
  const workflowBundle = await bundleWorkflowCode({workflowsPath: ownWorkflows, plugins, logger});
  const workers = [
    await Worker.create({connection, plugins: [...plugins], workflowBundle, taskQueue: taskQueue('')}),
    await Worker.create({connection, plugins: [...plugins], taskQueue: computeTaskQueue(taskQueue(''))}),
  ];
  const running = Promise.all(workers.map((worker) => worker.run()));
  return async () => {
    for (const worker of workers) worker.shutdown();
    await running;
    await connection.close();
  };
}

function configOf({url, paths}: Ground, address: string): Config {
  return {
    temporal: {connectionOptions: {address}, namespace: 'default'},
    metadataUrl: url,
    prefix: '',
    taskQueue: taskQueue(''),
    scrub: (text) => text,
    lake: {catalog: url, dataPath: paths.data, metadataSchema: 'public', name: 'lake'},
    stagingPath: paths.staging,
    duckdb: {threads, memoryLimitBytes, tempDirectory: `${paths.spill}-worker`},
    computeConcurrency: 1,
    heartbeatSeconds: 10,
    metricsAddress: undefined,
    healthAddress: undefined,
    alerts: undefined,
    log: {level: 'error', format: 'text'},
    isMigrating: false,
    shutdownGraceSeconds: 1,
  };
}
