import {randomUUID} from 'node:crypto';
import {readdir, readFile, writeFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import path from 'node:path';
import type {Client} from '@temporalio/client';
import {ApplicationFailure} from '@temporalio/common';
import {historyToJSON} from '@temporalio/common/lib/proto-utils.js';
import {Worker} from '@temporalio/worker';
import {expect, test} from 'vitest';
import {eventually} from '../support/eventually.ts';
import {aFakeLake} from '../support/fake-lake.ts';
import {gate} from '../support/gate.ts';
import {aWorker, quiet, workflowsPath} from '../support/worker.ts';

/**
 * Histories that earlier workflows have written must be understood by today's: runs are open while workers are replaced. A
 * change of the workflows that breaks one goes behind `patched`, and adds histories under the new version's name; those
 * of released versions stay. `FRESHET_RECORD=0.1.0 npx vitest run test/workflow/replay.test.ts` records them.
 */
const folder = fileURLToPath(new URL('./histories/', import.meta.url));
const version = process.env['FRESHET_RECORD'];

test.skipIf(version !== undefined)('every recorded history is understood by the workflows of today', async () => {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json'));
  expect(files.length).toBeGreaterThan(8);
  async function* histories() {
    for (const file of files) {
      yield {workflowId: file, history: JSON.parse(await readFile(path.join(folder, file), 'utf8')) as unknown};
    }
  }
  quiet();
  for await (const {workflowId, error} of Worker.runReplayHistories({workflowsPath}, histories())) {
    expect(error, workflowId).toBeUndefined();
  }
});

test.runIf(version !== undefined)('histories are recorded', async () => {
  const lake = aFakeLake({
    'main.a': ['main.base'],
    'main.b': ['main.a'],
    'main.c': ['main.a'],
    'main.d': ['main.b', 'main.c'],
  });
  await using worker = await aWorker(lake.activities);
  const {client, prefix, taskQueue} = worker;
  const start = (type: string, input: unknown) =>
    client.workflow.start(type, {taskQueue, workflowId: `${prefix}${randomUUID()}`, args: [input]});
  const save = async (name: string, workflowId: string) => await record(client, `${name}.${version}`, workflowId);
  const run = async (name: string, type: string, input: unknown) => {
    const handle = await start(type, input);
    await handle.result().catch(() => undefined);
    await save(name, handle.workflowId);
  };

  await run('create', 'createDynamicTable', {statement: 'main.a'});
  await save('apply', `${prefix}dynamic-table:main.a/apply`);
  await run('refresh-no-data', 'refreshDynamicTable', {table: 'main.a'});
  await run('refresh-diamond', 'refreshDynamicTable', {table: 'main.d'});
  await run('refresh-unknown', 'refreshDynamicTable', {table: 'main.x'});

  lake.newest = 20;
  await run('refresh-upstream', 'refreshDynamicTable', {table: 'main.a'});
  lake.newest = 15;
  await run('refresh-ahead', 'refreshDynamicTable', {table: 'main.d'});

  lake.newest = 30;
  const publishing = gate();
  lake.onPublish = publishing.pass;
  const first = await start('refreshDynamicTable', {table: 'main.a'});
  await publishing.reached;
  const second = await start('refreshDynamicTable', {table: 'main.a'});
  const apply = client.workflow.getHandle(`${prefix}dynamic-table:main.a/apply`);
  await eventually(
    async () => (await apply.fetchHistory()).events ?? [],
    (events) => events.some((event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'join'),
  );
  publishing.open();
  await Promise.all([first.result(), second.result()]);
  await save('refresh-passing-on', first.workflowId);
  await save('refresh-joined', second.workflowId);
  await save('apply-joined', apply.workflowId);

  lake.newest = 40;
  lake.onPublish = () => Promise.reject(ApplicationFailure.nonRetryable('no', 'data_error'));
  await run('refresh-failed', 'refreshDynamicTable', {table: 'main.a'});
  await save('apply-failed', apply.workflowId);
  await run('create-undone', 'createDynamicTable', {statement: 'main.a'});
  await run('drop', 'dropDynamicTable', {table: 'main.a'});

  lake.suspended.add('main.a');
  await run('refresh-suspended', 'refreshDynamicTable', {table: 'main.a', trigger: 'schedule'});
  await run('suspend', 'suspendDynamicTable', {table: 'main.a'});
  await run('alter', 'alterDynamicTable', {statement: "alter dynamic table a set comment = 'for people'"});
  await run('resume', 'resumeDynamicTable', {table: 'main.a'});
  await run('alert', 'sendAlert', {
    ...{kind: 'missed_lag', id: 'alert', table: 'main.a', at: '2026-01-01T00:02:00.000Z', message: 'main.a is late.'},
    ...{targetLagSeconds: 60, lagSeconds: 120, freshAt: '2026-01-01T00:00:00.000Z'},
  });
});

async function record(client: Client, name: string, workflowId: string): Promise<void> {
  const history = await client.workflow.getHandle(workflowId).fetchHistory();
  await writeFile(path.join(folder, `${name}.json`), `${withoutMachine(historyToJSON(history))}\n`);
}

/** Without what tells of the machine it was recorded on, and means nothing to a replay. */
function withoutMachine(history: string): string {
  return history
    .replaceAll(/"stackTrace": "(?:[^"\\]|\\.)*"/g, '"stackTrace": ""')
    .replaceAll(/"\d+@[^"]*"/g, '"recorded"');
}
