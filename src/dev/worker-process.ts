import {Connection} from '@temporalio/client';
import {mkdir} from 'node:fs/promises';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {FreshetError} from '../errors.ts';
import {computeTaskQueue, taskQueue} from '../temporal-names.ts';
import {startKept, type KeptProcess} from './kept-process.ts';
import {until} from './process.ts';

/** Kinds of tasks, as Temporal's API numbers them. */
const workflowTasks = 1;
const activityTasks = 2;

/**
 * `freshet worker` as a process of its own, so that its memory and threads are its own and it can finish what it does
 * when we are asked to stop. Returns when it serves its task queues.
 */
export async function startWorkerProcess(options: {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly temporalAddress: string;
}): Promise<KeptProcess> {
  await mkdir(options.folder, {recursive: true});
  const logFile = path.join(options.folder, 'log');
  const cli = fileURLToPath(new URL('../freshet.cjs', import.meta.url));
  const worker = await startKept([process.execPath, cli, 'worker'], {
    endWith: 'TERM',
    logFile,
    pidFile: path.join(options.folder, 'pid'),
    environment: options.environment,
  });
  let hasEnded = false;
  void worker.ended.then(() => (hasEnded = true));
  const connection = await Connection.connect({address: options.temporalAddress});
  try {
    const isServing = async (): Promise<boolean> =>
      (await hasPollers(connection, taskQueue(''), workflowTasks)) &&
      (await hasPollers(connection, computeTaskQueue(taskQueue('')), activityTasks));
    if ((await until(async () => hasEnded || (await isServing()), 60_000)) && !hasEnded) return worker;
  } finally {
    await connection.close();
  }
  await worker.stop();
  throw new FreshetError('unavailable', 'The worker does not start.', {hint: `It says why in "${logFile}".`});
}

async function hasPollers(connection: Connection, name: string, taskQueueType: number): Promise<boolean> {
  const request = {namespace: 'default', taskQueue: {name}, taskQueueType};
  const {pollers} = await connection.workflowService.describeTaskQueue(request);
  return (pollers ?? []).length > 0;
}
