import {randomUUID} from 'node:crypto';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import path from 'node:path';
import {Client, Connection} from '@temporalio/client';
import type {PayloadCodec} from '@temporalio/common';
import {NativeConnection, Worker, type WorkerOptions} from '@temporalio/worker';
import {FreshetClient} from '../../src/client.ts';
import {expect, test, vi} from 'vitest';
import {FreshetPlugin, readConfig} from '../../src/plugin.ts';
import {temporalAddress} from '../support/servers.ts';
import {aStack} from '../support/stack.ts';

// Each bundles its own workflows.
vi.setConfig({testTimeout: 180_000});

/** Inside the project, where its imports are found. */
const here = path.dirname(fileURLToPath(import.meta.url));

test('a host worker runs its own workflows and ours, although all that it has seals payloads and has the plugin twice', async () => {
  await using stack = await aStack({withWorker: false});
  await stack.run('create table orders as select i as id, i % 3 as region from range(9) as t(i)');
  await using host = await aHost(
    // It may hand ours on, which is the same as to have them by the plugin.
    `export {refreshDynamicTable} from '../../../src/workflows/index.ts';
     import {executeChild} from '@temporalio/workflow';
     export async function report(table: string): Promise<string> {
       const {outcome} = await executeChild('refreshDynamicTable', {args: [{table}]});
       return 'the report after a refresh that ' + outcome;
     }`,
    [new FreshetPlugin({config: stack.config})],
    {dataConverter: {payloadCodecs: [sealing]}},
  );
  const create = {
    statement: `create dynamic table t target_lag = downstream as select region, count(*) as n from orders group by 1`,
  };
  await host.execute('createDynamicTable', create);
  await stack.run('insert into orders values (100, 1)');
  expect(await host.execute('report', 'main.t')).toBe('the report after a refresh that refreshed');

  const clientOf = (temporal: Client) =>
    new FreshetClient({
      ...{temporal, metadataUrl: stack.options.catalog},
      ...{prefix: stack.prefix, taskQueue: host.taskQueue},
    });
  await using asked = clientOf(host.client);
  await using plain = clientOf(stack.temporal);
  expect(await asked.verify('t')).toMatchObject({verdict: 'equal'});
  await expect(plain.verify('t')).rejects.toMatchObject({
    code: 'invalid_configuration',
    message: expect.stringContaining('binary/sealed'),
  });
  await stack.temporal.schedule.getHandle(`${stack.prefix}dynamic-table:main.t`).delete();
});

test('a workflow of the host with a name of ours is refused before the worker is there', async () => {
  await using stack = await aStack({withWorker: false});
  const host = aHost('export async function applyRefresh(): Promise<void> {}', [
    new FreshetPlugin({config: stack.config}),
  ]);
  await expect(host).rejects.toMatchObject({
    code: 'invalid_configuration',
    message: expect.stringContaining('applyRefresh'),
  });
});

test('an activity of the host with a name of ours is refused before the worker is there', async () => {
  await using stack = await aStack({withWorker: false});
  const host = aHost('export async function other(): Promise<void> {}', [new FreshetPlugin({config: stack.config})], {
    activities: {verify: () => Promise.resolve()},
  });
  await expect(host).rejects.toMatchObject({code: 'invalid_configuration'});
});

test('a bundle that was made without the plugin is refused before the worker is there', async () => {
  const workflowBundle = {code: "exports.report = () => executeChild('refreshDynamicTable')"};
  const plugin = new FreshetPlugin({
    config: readConfig({FRESHET_LAKE: 'postgresql://db/lake', FRESHET_LAKE_DATA_PATH: '/data'}),
  });
  expect(() => plugin.configureWorker({taskQueue: 'reports', workflowBundle})).toThrow(
    /bundle has no workflows of Freshet/,
  );
});

/** What goes to the server is written backwards. */
const sealing: PayloadCodec = {
  encode: (payloads) =>
    Promise.resolve(
      payloads.map(({metadata, data}) => ({
        metadata: {encoding: Buffer.from('binary/sealed'), was: metadata?.['encoding'] ?? new Uint8Array()},
        data: Buffer.from(data ?? []).reverse(),
      })),
    ),
  decode: (payloads) =>
    Promise.resolve(
      payloads.map(({metadata, data}) =>
        metadata?.['was'] === undefined || metadata['was'] === null
          ? {metadata: metadata ?? null, data: data ?? null}
          : {metadata: {encoding: metadata['was']}, data: Buffer.from(data ?? []).reverse()},
      ),
    ),
};

type Host = AsyncDisposable & {
  readonly client: Client;
  readonly taskQueue: string;
  readonly execute: (type: string, input: unknown) => Promise<unknown>;
};

async function aHost(
  workflows: string,
  plugins: readonly FreshetPlugin[],
  {activities = {}, dataConverter = {}}: Pick<WorkerOptions, 'activities' | 'dataConverter'> = {},
): Promise<Host> {
  const folder = await mkdtemp(path.join(here, 'host-'));
  const workflowsPath = path.join(folder, 'workflows.ts');
  await writeFile(workflowsPath, workflows);
  const connection = await NativeConnection.connect({address: temporalAddress(), plugins: [...plugins]});
  const taskQueue = `host-${randomUUID()}`;
  try {
    const worker = await Worker.create({
      ...{connection, taskQueue, workflowsPath, activities, dataConverter},
      plugins: [...plugins],
    });
    const running = worker.run();
    const clientConnection = await Connection.connect({address: temporalAddress(), plugins: [...plugins]});
    const client = new Client({connection: clientConnection, dataConverter, plugins: [...plugins]});
    return {
      client,
      taskQueue,
      execute: (type, input) => client.workflow.execute(type, {taskQueue, workflowId: randomUUID(), args: [input]}),
      [Symbol.asyncDispose]: async () => {
        worker.shutdown();
        await running;
        await clientConnection.close();
        await connection.close();
        await rm(folder, {recursive: true});
      },
    };
  } catch (error) {
    await connection.close();
    await rm(folder, {recursive: true});
    throw error;
  }
}
