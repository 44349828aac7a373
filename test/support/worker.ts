import {randomUUID} from 'node:crypto';
import {existsSync} from 'node:fs';
import {rename, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {Client, Connection} from '@temporalio/client';
import {bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker} from '@temporalio/worker';
import {inject} from 'vitest';
import type {Activities} from '../../src/activities/activities.ts';
import {temporalAddress} from './servers.ts';

export const workflowsPath = fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url));

const logger = new DefaultLogger('ERROR');

/** Our workflows as a bundle, which the first who needs it in a test run makes for all. */
export async function workflowBundle(): Promise<{readonly codePath: string}> {
  const codePath = path.join(inject('folder'), 'workflow-bundle.js');
  if (!existsSync(codePath)) {
    const {code} = await bundleWorkflowCode({workflowsPath, logger});
    await writeFile(`${codePath}.${process.pid}`, code);
    await rename(`${codePath}.${process.pid}`, codePath);
  }
  return {codePath};
}

/** Our workflows on the test run's Temporal server, with activities given as literals. Ids and queues are its own. */
export type TestWorker = AsyncDisposable & {
  readonly client: Client;
  /** Of ids and queues; also the task queue. */
  readonly prefix: string;
  readonly taskQueue: string;
  readonly execute: (type: string, input: unknown, workflowId?: string) => Promise<unknown>;
};

export async function aWorker(
  activities: (prefix: string) => Partial<Activities>,
  {slots = 50}: {readonly slots?: number} = {},
): Promise<TestWorker> {
  quiet();
  const prefix = `test-${randomUUID()}-`;
  const taskQueue = `${prefix}freshet`;
  const connection = await NativeConnection.connect({address: temporalAddress()});
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: await workflowBundle(),
    activities: activities(prefix),
    maxConcurrentActivityTaskExecutions: slots,
  });
  const running = worker.run();
  const clientConnection = await Connection.connect({address: temporalAddress()});
  const client = new Client({connection: clientConnection});
  return {
    client,
    prefix,
    taskQueue,
    execute: (type, input, workflowId = `${prefix}${randomUUID()}`) =>
      client.workflow.execute(type, {taskQueue, workflowId, args: [input]}),
    [Symbol.asyncDispose]: async () => {
      worker.shutdown();
      await running;
      await clientConnection.close();
      await connection.close();
    },
  };
}

/** Errors alone are logged, of whatever this process runs. */
export function quiet(): void {
  try {
    Runtime.install({logger, telemetryOptions: {logging: {forward: {}, filter: {core: 'ERROR', other: 'ERROR'}}}});
  } catch {
    // Somebody else in this process was first.
  }
}
