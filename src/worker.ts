import {setTimeout as delay} from 'node:timers/promises';
import {Connection} from '@temporalio/client';
import {
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type LogEntry,
  type LogLevel,
  type Logger,
  type RuntimeOptions,
} from '@temporalio/worker';
import type {Config} from './config.ts';
import {FreshetError} from './errors.ts';
import {serveHealth, type Health} from './health.ts';
import {openMetadata} from './metadata/database.ts';
import {histogramBuckets} from './metrics.ts';
import {FreshetPlugin, prepareMetadata} from './plugin.ts';
import {computeTaskQueue} from './temporal-names.ts';
import {ownBundle} from './workflow-bundle.ts';

/** Short activities at once; what they ask of DuckDB waits for a thread. */
const lightConcurrency = 20;
/** So often a running statement tells how far it is, and hears whether it was cancelled. */
const heartbeatInterval = '2 seconds';
/** After the grace time activities are cancelled, which interrupts their statements; this long they may take to notice. */
const forceSeconds = 15;
const longestWaitSeconds = 10;
const connectMilliseconds = 5_000;

/**
 * A worker process: waits for PostgreSQL and Temporal, serves both task queues until it is asked to stop (SIGTERM, SIGINT),
 * then finishes what runs within the grace time. Whoever calls it sets UV_THREADPOOL_SIZE
 * before Node starts, to compute more at once.
 */
export async function runWorker(config: Config): Promise<void> {
  const log = ownLogger(config);
  const stop = stopSignal();
  const progress: Progress = {waitsFor: 'PostgreSQL', workers: []};
  try {
    const {healthAddress} = config;
    await using _ = healthAddress === undefined ? null : await serveHealth(healthAddress, () => healthOf(progress));
    await serve(config, log, stop, progress);
  } catch (error) {
    if (error !== stop.signal.reason) throw error;
  } finally {
    stop.forget();
  }
}

/** How far a worker process has come. */
type Progress = {waitsFor: string; workers: readonly Worker[]};

function healthOf({waitsFor, workers}: Progress): Health {
  if (workers.length === 0) return {isReady: false, state: `waits for ${waitsFor}`};
  const isReady = workers.every((worker) => worker.getState() === 'RUNNING');
  const isStarting = workers.some((worker) => worker.getState() === 'INITIALIZED');
  return {isReady, state: isReady ? 'runs' : isStarting ? 'starts' : 'stops'};
}

async function serve(config: Config, log: Logger, stop: StopSignal, progress: Progress): Promise<void> {
  await patiently('PostgreSQL', log, stop.signal, () => askMetadata(config));
  progress.waitsFor = 'Temporal';
  const {connection, runtime} = await patiently('Temporal', log, stop.signal, () => connectTemporal(config));
  try {
    const workers = await createWorkers(config, connection);
    progress.workers = workers;
    stop.signal.throwIfAborted();
    stop.forget();
    log.info('Freshet serves its task queues', {queues: [config.taskQueue, computeTaskQueue(config.taskQueue)]});
    await runAll(workers);
    log.info('Freshet has stopped');
  } finally {
    await connection.close();
    // With workers that have never run it would keep this process alive.
    await runtime.shutdown();
  }
}

/** Asked by the client's connection first, which says soon what is wrong; the worker's own tries in silence for minutes. */
async function connectTemporal(config: Config): Promise<{connection: NativeConnection; runtime: Runtime}> {
  const {connectionOptions} = config.temporal;
  const asked = await Connection.connect({...connectionOptions, connectTimeout: connectMilliseconds});
  await asked.close();
  // Each attempt has one of its own: a connection that fails takes it down, with its log.
  const runtime = Runtime.install(runtimeOptions(config));
  return {runtime, connection: await NativeConnection.connect(connectionOptions)};
}

async function createWorkers(config: Config, connection: NativeConnection): Promise<Worker[]> {
  const {namespace = 'default'} = config.temporal;
  const {taskQueue, computeConcurrency, shutdownGraceSeconds} = config;
  const plugins = [new FreshetPlugin({config, computeTaskQueue: computeTaskQueue(taskQueue)})];
  const shared = {
    connection,
    namespace,
    shutdownGraceTime: `${shutdownGraceSeconds} seconds` as const,
    shutdownForceTime: `${shutdownGraceSeconds + forceSeconds} seconds` as const,
  };
  // Copies of the list: Worker.create adds to the one that it is given.
  const light = await Worker.create({
    ...shared,
    plugins: [...plugins],
    ...ownBundle(),
    taskQueue,
    maxConcurrentActivityTaskExecutions: lightConcurrency,
    maxConcurrentLocalActivityExecutions: lightConcurrency,
  });
  const compute = await Worker.create({
    ...shared,
    plugins: [...plugins],
    taskQueue: computeTaskQueue(taskQueue),
    maxConcurrentActivityTaskExecutions: computeConcurrency,
    maxHeartbeatThrottleInterval: heartbeatInterval,
  });
  return [light, compute];
}

/** Runs them until they are asked to stop; when one breaks, the others stop in order too. */
async function runAll(workers: readonly Worker[]): Promise<void> {
  const ends = await Promise.allSettled(
    workers.map(async (worker) => {
      try {
        await worker.run();
      } finally {
        for (const other of workers) if (other.getState() === 'RUNNING') other.shutdown();
      }
    }),
  );
  const broken = ends.find((end) => end.status === 'rejected');
  if (broken !== undefined) throw broken.reason;
}

async function askMetadata(config: Config): Promise<void> {
  const metadata = openMetadata(config.metadataUrl);
  try {
    await prepareMetadata(metadata, config);
  } finally {
    await metadata.end();
  }
}

type StopSignal = {readonly signal: AbortSignal; readonly forget: () => void};

/** Aborted when this process is asked to stop, which a runtime without workers passes over. */
function stopSignal(): StopSignal {
  const controller = new AbortController();
  const stop = () => controller.abort();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, stop);
  return {signal: controller.signal, forget: () => signals.forEach((signal) => process.off(signal, stop))};
}

/** Tries until it works, ever more slowly; only what waiting won't mend ends it, or being asked to stop. */
async function patiently<T>(what: string, log: Logger, stop: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (let waitSeconds = 0.25; ; waitSeconds = Math.min(waitSeconds * 2, longestWaitSeconds)) {
    try {
      return await attempt();
    } catch (error) {
      stop.throwIfAborted();
      if (error instanceof FreshetError) throw error;
      log.warn(`${what} can't be reached yet`, {error: String(error), againInSeconds: waitSeconds});
      await delay(waitSeconds * 1000, undefined, {signal: stop}).catch(() => stop.throwIfAborted());
    }
  }
}

function ownLogger({log, scrub}: Config): Logger {
  return new DefaultLogger(levels[log.level], log.format === 'json' ? jsonLine(scrub) : textLine(scrub));
}

function runtimeOptions(config: Config): RuntimeOptions {
  const {metricsAddress} = config;
  return {
    logger: ownLogger(config),
    telemetryOptions: {
      logging: {forward: {}, filter: {core: 'WARN', other: 'ERROR'}},
      ...(metricsAddress === undefined
        ? {}
        : {
            metrics: {
              prometheus: {
                bindAddress: metricsAddress,
                countersTotalSuffix: true,
                unitSuffix: true,
                histogramBucketOverrides: histogramBuckets,
              },
            },
          }),
    },
  };
}

const levels: Readonly<Record<Config['log']['level'], LogLevel>> = {
  trace: 'TRACE',
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARN',
  error: 'ERROR',
};

function jsonLine(scrub: Config['scrub']): (entry: LogEntry) => void {
  return ({level, message, timestampNanos, meta}) => {
    const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
    write(scrub(JSON.stringify({time, level: level.toLowerCase(), message, ...meta}, plainJson)));
  };
}

function textLine(scrub: Config['scrub']): (entry: LogEntry) => void {
  return ({level, message, timestampNanos, meta}) => {
    const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
    const more = meta === undefined || Object.keys(meta).length === 0 ? '' : ` ${JSON.stringify(meta, plainJson)}`;
    write(scrub(`${time} ${level} ${message}${more}`));
  };
}

/** What JSON has no form for. */
function plainJson(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Error ? {name: value.name, message: value.message, stack: value.stack} : value;
}

function write(line: string): void {
  process.stderr.write(`${line}\n`);
}
