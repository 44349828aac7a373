import {randomUUID} from 'node:crypto';
import {WorkflowFailedError} from '@temporalio/client';
import {ApplicationFailure} from '@temporalio/common';
import {expect, test} from 'vitest';
import type {RefreshResult} from '../../src/refresh/messages.ts';
import {errorOfFailure} from '../../src/failure.ts';
import {eventually} from '../support/eventually.ts';
import {aFakeLake, untilCancelled} from '../support/fake-lake.ts';
import {gate} from '../support/gate.ts';
import {aWorker, type TestWorker} from '../support/worker.ts';

test('a refresh goes through its phases and says what it did', async () => {
  const lake = aFakeLake({'main.totals': ['main.base']});
  await using worker = await aWorker(lake.activities);
  const result = await refresh(worker, 'totals');
  expect(result).toMatchObject({
    table: 'main.totals',
    outcome: 'refreshed',
    dataVersion: 10,
    publication: {snapshot: 1010},
    refresh: {
      action: 'INCREMENTAL',
      rowsDeleted: 1,
      rowsInserted: 3,
      sources: [{source: 'main.base', from: null, to: 10}],
    },
  });
  expect(Object.keys(result.refresh?.phases ?? {})).toEqual(['lookUp', 'extract', 'check', 'publish']);
  expect(await refresh(worker, 'totals')).toMatchObject({outcome: 'no-data', dataVersion: 10});
});

test('of twenty runs at once one applies and the others join it', async () => {
  const lake = aFakeLake({'main.totals': ['main.base']});
  await using worker = await aWorker(lake.activities);
  const results = await Promise.all(Array.from({length: 20}, () => refresh(worker, 'main.totals')));
  expect(lake.applied).toHaveLength(1);
  expect(lake.mostAtOnce).toBe(1);
  expect(count(results, 'refreshed')).toBe(1);
  expect(count(results, 'joined') + count(results, 'no-data')).toBe(19);
  expect(new Set(results.map(({publication}) => publication?.snapshot))).toEqual(new Set([1010]));
});

test('a run that finds an apply at work waits for its end, by signal', async () => {
  const lake = aFakeLake({'main.totals': ['main.base']});
  const publishing = gate();
  lake.onPublish = publishing.pass;
  await using worker = await aWorker(lake.activities);
  const first = refresh(worker, 'main.totals');
  await publishing.reached;
  lake.newest = 12;
  const joining = await start(worker, 'main.totals');
  await joins(worker, 'main.totals', 1);
  publishing.open();

  expect(await first).toMatchObject({outcome: 'refreshed', dataVersion: 10});
  expect(await joining.result()).toMatchObject({outcome: 'refreshed', dataVersion: 12});
  const {events} = await joining.fetchHistory();
  expect(events?.some((event) => event.startChildWorkflowExecutionFailedEventAttributes != null)).toBe(false);
});

test('waiters that may not choose go on in the order of their versions', async () => {
  const lake = aFakeLake({'main.totals': ['main.base']});
  const publishing = gate();
  lake.onPublish = publishing.pass;
  await using worker = await aWorker(lake.activities);
  const first = refresh(worker, 'main.totals');
  await publishing.reached;
  const waiting = [];
  for (const [i, version] of [14, 12, 13, 12].entries()) {
    waiting.push((await start(worker, 'main.totals', version)).result());
    await joins(worker, 'main.totals', i + 1);
  }
  publishing.open();
  await first;
  expect((await Promise.all(waiting)).map((result) => (result as RefreshResult).dataVersion)).toEqual([14, 12, 13, 12]);
  expect(lake.applied.map(({dataVersion}) => dataVersion)).toEqual([10, 12, 13, 14]);
  expect(lake.mostAtOnce).toBe(1);
});

test('a diamond is refreshed at one version, each table once', async () => {
  const lake = aFakeLake({
    'main.a': ['main.base'],
    'main.b': ['main.a'],
    'main.c': ['main.a'],
    'main.d': ['main.b', 'main.c'],
  });
  await using worker = await aWorker(lake.activities);
  await refresh(worker, 'main.d');
  expect(lake.applied.map(({table, dataVersion}) => `${table} ${dataVersion}`).sort()).toEqual([
    'main.a 10',
    'main.b 10',
    'main.c 10',
    'main.d 10',
  ]);
  expect(lake.applied.find(({table}) => table === 'main.d')?.upstreams).toMatchObject({
    'main.b': {snapshot: 1010},
    'main.c': {snapshot: 1010},
  });
});

test('a root that finds a table below past its version chooses that one', async () => {
  const lake = aFakeLake({'main.a': ['main.base'], 'main.b': ['main.a']});
  await using worker = await aWorker(lake.activities);
  lake.newest = 15;
  await refresh(worker, 'main.a');
  lake.newest = 12;
  expect(await refresh(worker, 'main.b')).toMatchObject({outcome: 'refreshed', dataVersion: 15});
});

test('a run with a given version reports that the table is ahead', async () => {
  const lake = aFakeLake({'main.a': ['main.base']});
  await using worker = await aWorker(lake.activities);
  await refresh(worker, 'main.a');
  expect(await worker.execute('refreshDynamicTable', {table: 'main.a', dataVersion: 4})).toMatchObject({
    outcome: 'ahead',
    dataVersion: 10,
    publication: null,
  });
});

test('a scheduled run of a suspended table does nothing, and says so', async () => {
  const lake = aFakeLake({'main.totals': ['main.base']});
  lake.suspended.add('main.totals');
  await using worker = await aWorker(lake.activities);
  const run = worker.execute('refreshDynamicTable', {table: 'main.totals', trigger: 'schedule'});
  expect(await run).toEqual({
    ...{table: 'main.totals', outcome: 'suspended', dataVersion: 7, publication: null, refresh: null},
  });
  expect(lake.applied).toEqual([]);
  expect(lake.failures).toEqual([]);
  expect(await refresh(worker, 'main.totals')).toMatchObject({outcome: 'refreshed'});
});

test('an unknown table fails at once, with our code and a hint', async () => {
  await using worker = await aWorker(aFakeLake({}).activities);
  expect(await failure(refresh(worker, 'main.nope'))).toMatchObject({
    code: 'unknown_dynamic_table',
    hint: 'Did you mean another?',
  });
  expect(await failure(worker.execute('refreshDynamicTable', {tabel: 'x'}))).toMatchObject({code: 'invalid_option'});
  expect(await failure(worker.execute('refreshDynamicTable', undefined))).toMatchObject({code: 'invalid_option'});
});

test('what fails deep inside is the message of the failed run, and of the history', async () => {
  const lake = aFakeLake({'main.a': ['main.base'], 'main.b': ['main.a']});
  lake.onPublish = () => Promise.reject(ApplicationFailure.nonRetryable('Division by zero in "x / y"', 'data_error'));
  await using worker = await aWorker(lake.activities);
  const error = await refresh(worker, 'main.b').catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect((error as WorkflowFailedError).cause).toMatchObject({
    message: 'Upstream main.a: Division by zero in "x / y"',
    type: 'data_error',
  });
  expect(lake.failures).toEqual([
    {table: 'main.a', code: 'data_error'},
    {table: 'main.b', code: 'data_error'},
  ]);
});

test('whoever joined a refresh that failed fails with it instead of trying once more', async () => {
  const lake = aFakeLake({'main.a': ['main.base']});
  const publishing = gate();
  lake.onPublish = async () => {
    await publishing.pass();
    throw ApplicationFailure.nonRetryable('out of luck', 'data_error');
  };
  await using worker = await aWorker(lake.activities);
  const first = refresh(worker, 'main.a');
  await publishing.reached;
  const joined = await start(worker, 'main.a');
  await joins(worker, 'main.a', 1);
  publishing.open();
  expect(await failure(first)).toMatchObject({code: 'data_error', message: 'out of luck'});
  expect(await failure(joined.result())).toMatchObject({
    code: 'data_error',
    message: 'The refresh that this one joined failed: out of luck',
  });
});

test("a refresh that can't be trusted goes once more, fully", async () => {
  const lake = aFakeLake({'main.a': ['main.base']});
  let tries = 0;
  await using worker = await aWorker((prefix) => {
    const activities = lake.activities(prefix);
    return {
      ...activities,
      publishRefresh: (input) =>
        ++tries === 1
          ? Promise.resolve({kind: 'full-instead', reason: {kind: 'row-missing', rows: 2}})
          : activities.publishRefresh!(input),
    };
  });
  expect(await refresh(worker, 'main.a')).toMatchObject({
    refresh: {action: 'FULL', reason: '2 rows that had to be taken away were not there'},
  });
});

test('a refresh that always loses ends as superseded', async () => {
  const lake = aFakeLake({'main.a': ['main.base']});
  await using worker = await aWorker((prefix) => ({
    ...lake.activities(prefix),
    publishRefresh: () => Promise.resolve({kind: 'lost'}),
  }));
  expect(await failure(refresh(worker, 'main.a'))).toMatchObject({code: 'superseded'});
});

test('cancelling a run cancels the statement at work below it', async () => {
  const lake = aFakeLake({'main.a': ['main.base'], 'main.b': ['main.a']});
  const publishing = gate();
  let wasCancelled = false;
  lake.onPublish = async () => {
    publishing.mark();
    await untilCancelled().catch((error: unknown) => {
      wasCancelled = true;
      throw error;
    });
  };
  await using worker = await aWorker(lake.activities);
  const handle = await start(worker, 'main.b');
  await publishing.reached;
  await handle.cancel();
  expect(await failure(handle.result())).toMatchObject({code: 'cancelled'});
  expect(wasCancelled).toBe(true);
  expect((await handle.describe()).status.name).toBe('CANCELLED');
});

test('a run tells its phase to whoever asks', async () => {
  const lake = aFakeLake({'main.a': ['main.base']});
  const publishing = gate();
  lake.onPublish = publishing.pass;
  await using worker = await aWorker(lake.activities);
  const handle = await start(worker, 'main.a');
  await publishing.reached;
  expect(await handle.query('progress')).toMatchObject({
    phase: 'apply',
    apply: {workflowId: applyId(worker, 'main.a')},
  });
  expect(await worker.client.workflow.getHandle(applyId(worker, 'main.a')).query('progress')).toMatchObject({
    phase: 'publish',
    details: ['`main.base` snapshots start → 10', 'INCREMENTAL: 4 changed rows, 0 affected keys'],
  });
  publishing.open();
  await handle.result();
});

function refresh(worker: TestWorker, table: string): Promise<RefreshResult> {
  return worker.execute('refreshDynamicTable', {table}) as Promise<RefreshResult>;
}

function start(worker: TestWorker, table: string, dataVersion?: number) {
  return worker.client.workflow.start('refreshDynamicTable', {
    taskQueue: worker.taskQueue,
    workflowId: `${worker.prefix}${randomUUID()}`,
    args: [{table, ...(dataVersion === undefined ? {} : {dataVersion})}],
  });
}

/** Resolves when so many runs wait for the table's apply. */
async function joins(worker: TestWorker, table: string, runs: number): Promise<void> {
  const handle = worker.client.workflow.getHandle(applyId(worker, table));
  await eventually(
    async () => (await handle.fetchHistory()).events ?? [],
    (events) =>
      events.filter(({workflowExecutionSignaledEventAttributes: signal}) => signal?.signalName === 'join').length ===
      runs,
  );
}

function applyId({prefix}: TestWorker, table = 'main.totals'): string {
  return `${prefix}dynamic-table:${table}/apply`;
}

async function failure(result: Promise<unknown>): Promise<unknown> {
  const error = await result.then(
    () => 'it did not fail',
    (caught: unknown) => caught,
  );
  return error instanceof WorkflowFailedError ? errorOfFailure(error.cause) : error;
}

function count(results: readonly RefreshResult[], outcome: string): number {
  return results.filter((result) => result.outcome === outcome).length;
}
