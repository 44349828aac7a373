import {randomUUID} from 'node:crypto';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import path from 'node:path';
import {Client, Connection} from '@temporalio/client';
import {NativeConnection, Worker} from '@temporalio/worker';
import {expect, test, vi} from 'vitest';
import {FreshetPlugin, readConfig} from '../../src/plugin.ts';
import {temporalAddress} from '../support/servers.ts';
import {aStack} from '../support/stack.ts';

// Each bundles its own workflows.
vi.setConfig({testTimeout: 180_000});

/** Inside the project, where its imports are found. */
const here = path.dirname(fileURLToPath(import.meta.url));

test('a host worker runs its own workflows and ours, although it has the plugin twice', async () => {
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
  );
  const create = {
    statement: `create dynamic table t target_lag = downstream as select region, count(*) as n from orders group by 1`,
  };
  await host.execute('createDynamicTable', create);
  await stack.run('insert into orders values (100, 1)');
  expect(await host.execute('report', 'main.t')).toBe('the report after a refresh that refreshed');
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
    verify: () => Promise.resolve(),
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

type Host = AsyncDisposable & {readonly execute: (type: string, input: unknown) => Promise<unknown>};

async function aHost(workflows: string, plugins: readonly FreshetPlugin[], activities: object = {}): Promise<Host> {
  const folder = await mkdtemp(path.join(here, 'host-'));
  const workflowsPath = path.join(folder, 'workflows.ts');
  await writeFile(workflowsPath, workflows);
  const connection = await NativeConnection.connect({address: temporalAddress(), plugins: [...plugins]});
  const taskQueue = `host-${randomUUID()}`;
  try {
    const worker = await Worker.create({connection, taskQueue, workflowsPath, activities, plugins: [...plugins]});
    const running = worker.run();
    const clientConnection = await Connection.connect({address: temporalAddress()});
    const client = new Client({connection: clientConnection});
    return {
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
