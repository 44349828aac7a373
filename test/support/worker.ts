import {randomUUID} from 'node:crypto';
import {fileURLToPath} from 'node:url';
import {Client, Connection} from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import type {Activities} from '../../src/activities/activities.ts';
import {temporalAddress} from './servers.ts';

export const workflowsPath = fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url));

const logger = new DefaultLogger('ERROR');
let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;

/** Our workflows on the test run's Temporal server, with activities given as literals. Ids and queues are its own. */
export type TestWorker = AsyncDisposable & {
  readonly client: Client;
  /** Of ids and queues; also the task queue. */
  readonly prefix: string;
  readonly taskQueue: string;
  readonly execute: (type: string, input: unknown, workflowId?: string) => Promise<unknown>;
};

export async function aWorker(activities: (prefix: string) => Partial<Activities>): Promise<TestWorker> {
  quiet();
  bundle ??= bundleWorkflowCode({workflowsPath, logger});
  const prefix = `test-${randomUUID()}-`;
  const taskQueue = `${prefix}freshet`;
  const connection = await NativeConnection.connect({address: temporalAddress()});
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: await bundle,
    activities: activities(prefix),
    maxConcurrentActivityTaskExecutions: 50,
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
