import {randomUUID} from 'node:crypto';
import {Client, Connection} from '@temporalio/client';
import {NativeConnection, Worker} from '@temporalio/worker';
import {FreshetClient} from '../../src/client.ts';
import type {Config} from '../../src/config.ts';
import {openMetadata, type Metadata} from '../../src/metadata/database.ts';
import {migrate} from '../../src/metadata/migrate.ts';
import {FreshetPlugin} from '../../src/plugin.ts';
import {taskQueue} from '../../src/temporal-names.ts';
import {aLake, type TestLake} from './lake.ts';
import {temporalAddress} from './servers.ts';
import {quiet, workflowBundle} from './worker.ts';

type StackOptions = {
  readonly withWorker?: boolean;
  readonly alerts?: Config['alerts'];
  /** Of servers of the test's own, which it may kill. */
  readonly servers?: {readonly catalog: string; readonly address: string};
};

/** A lake, its metadata, a worker in this process and a client, with ids and task queues of their own. */
export type Stack = TestLake &
  AsyncDisposable & {
    readonly client: FreshetClient;
    readonly temporal: Client;
    readonly metadata: Metadata;
    readonly prefix: string;
    readonly config: Config;
    /** Creates `main.<name>` with a lag of a day, so that no tick gets in the way, and answers its name. */
    readonly create: (name: string, query: string, options?: string) => Promise<string>;
    /** Stops the worker and starts it again. */
    readonly stopWorker: () => Promise<void>;
    readonly startWorker: () => Promise<void>;
  };

export async function aStack({withWorker = true, alerts, servers}: StackOptions = {}): Promise<Stack> {
  quiet();
  const lake = await aLake(servers === undefined ? {} : {catalog: servers.catalog});
  const address = servers?.address ?? temporalAddress();
  const {options} = lake;
  const metadata = openMetadata(options.catalog);
  await migrate(metadata);
  const prefix = `test-${randomUUID().slice(0, 8)}-`;
  const config = {...configOf(options, prefix, address), alerts};
  const connection = await Connection.connect({address});
  const temporal = new Client({connection});
  const client = new FreshetClient({temporal, metadataUrl: options.catalog, prefix});
  let worker: TestWorkerProcess | null = null;
  const startWorker = async () => {
    worker = await startWorkerFor(config);
  };
  const stopWorker = async () => {
    await worker?.stop();
    worker = null;
  };
  if (withWorker) await startWorker();
  return {
    ...lake,
    client,
    temporal,
    metadata,
    prefix,
    config,
    startWorker,
    stopWorker,
    create: async (name, query, more = '') => {
      await client.create(`create dynamic table ${name} target_lag = '1 day' ${more} as ${query}`);
      return `main.${name}`;
    },
    [Symbol.asyncDispose]: async () => {
      for (const {table} of await client.list())
        await temporal.schedule
          .getHandle(`${prefix}dynamic-table:${table}`)
          .delete()
          .catch(() => undefined);
      await stopWorker();
      await client.close();
      await metadata.end();
      await connection.close();
      await lake[Symbol.asyncDispose]();
    },
  };
}

type TestWorkerProcess = {readonly stop: () => Promise<void>};

async function startWorkerFor(config: Config): Promise<TestWorkerProcess> {
  const connection = await NativeConnection.connect(config.temporal.connectionOptions);
  const worker = await Worker.create({
    connection,
    workflowBundle: await workflowBundle(),
    taskQueue: config.taskQueue,
    plugins: [new FreshetPlugin({config})],
    shutdownGraceTime: '1 second',
  });
  const running = worker.run();
  return {
    stop: async () => {
      worker.shutdown();
      await running;
      await connection.close();
    },
  };
}

function configOf(options: TestLake['options'], prefix: string, address: string): Config {
  return {
    temporal: {connectionOptions: {address}, namespace: 'default'},
    metadataUrl: options.catalog,
    prefix,
    taskQueue: taskQueue(prefix),
    scrub: (text) => text,
    lake: {catalog: options.catalog, dataPath: options.dataPath, metadataSchema: 'public', name: options.name},
    stagingPath: options.stagingPath,
    duckdb: {
      threads: options.threads,
      memoryLimitBytes: options.memoryLimitBytes,
      tempDirectory: `${options.tempDirectory}-worker`,
    },
    computeConcurrency: 2,
    heartbeatSeconds: 2,
    metricsAddress: undefined,
    healthAddress: undefined,
    alerts: undefined,
    log: {level: 'error', format: 'text'},
    isMigrating: false,
    shutdownGraceSeconds: 1,
  };
}
