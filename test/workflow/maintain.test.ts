import {ApplicationFailure} from '@temporalio/common';
import {expect, test, vi} from 'vitest';
import type {RefreshResult} from '../../src/refresh/messages.ts';
import type {Maintained} from '../../src/workflows/messages.ts';
import {eventually} from '../support/eventually.ts';
import {aFakeLake} from '../support/fake-lake.ts';
import {gate} from '../support/gate.ts';
import {aStack} from '../support/stack.ts';
import {aWorker, type TestWorker} from '../support/worker.ts';

// Real statements on a real server, in whatever is left of the machine.
vi.setConfig({testTimeout: 180_000});

const many = {data: 120, small: 120, deletes: 30};
const few = {data: 1, small: 1, deletes: 0};
const maintained: Maintained = {before: many, after: few, damage: null};

test('a refresh that leaves many files starts maintenance, and does not wait for it', async () => {
  const lake = aFakeLake({'main.totals': ['main.base']});
  const maintaining = gate();
  await using worker = await aWorker((prefix) => ({
    ...lake.activities(prefix),
    recordRefresh: () => Promise.resolve({isMaintenanceDue: true}),
    maintainTable: () => maintaining.pass().then(() => maintained),
  }));
  expect(await refresh(worker)).toMatchObject({outcome: 'refreshed'});
  await maintaining.reached;
  maintaining.open();
  const run = worker.client.workflow.getHandle(`${worker.prefix}dynamic-table:main.totals/maintain`);
  expect(await run.result()).toMatchObject({outcome: 'maintained', before: many, after: few});
});

test('a refresh waits for the maintenance that holds the lock, and goes on when it ends', async () => {
  const lake = aFakeLake({'main.totals': ['main.base']});
  const maintaining = gate();
  await using worker = await aWorker((prefix) => ({
    ...lake.activities(prefix),
    maintainTable: () => maintaining.pass().then(() => maintained),
  }));
  const maintenance = worker.execute('maintainDynamicTable', {table: 'main.totals'});
  await maintaining.reached;
  const waiting = refresh(worker);
  await joins(worker, 1);
  expect(lake.applied).toEqual([]);
  maintaining.open();
  await maintenance;
  expect(await waiting).toMatchObject({outcome: 'refreshed'});
});

test('maintenance waits for the refresh that holds the lock, and two of them for one another', async () => {
  const lake = aFakeLake({'main.totals': ['main.base']});
  const publishing = gate();
  lake.onPublish = publishing.pass;
  let [atOnce, most] = [0, 0];
  await using worker = await aWorker((prefix) => ({
    ...lake.activities(prefix),
    maintainTable: async () => {
      most = Math.max(most, ++atOnce);
      await Promise.resolve();
      atOnce--;
      return maintained;
    },
  }));
  const refreshing = refresh(worker);
  await publishing.reached;
  const runs = [1, 2].map(() => worker.execute('maintainDynamicTable', {table: 'main.totals'}));
  await joins(worker, 2);
  expect(most).toBe(0);
  publishing.open();
  await refreshing;
  expect(await Promise.all(runs)).toMatchObject([{outcome: 'maintained'}, {outcome: 'maintained'}]);
  expect(most).toBe(1);
});

test('who waits for a maintenance that fails refreshes all the same', async () => {
  const lake = aFakeLake({'main.totals': ['main.base']});
  const maintaining = gate();
  await using worker = await aWorker((prefix) => ({
    ...lake.activities(prefix),
    maintainTable: async () => {
      await maintaining.pass();
      throw ApplicationFailure.nonRetryable('disk full', 'internal');
    },
  }));
  const maintenance = worker.execute('maintainDynamicTable', {table: 'main.totals'}).catch(() => 'failed');
  await maintaining.reached;
  const waiting = refresh(worker);
  await joins(worker, 1);
  maintaining.open();
  expect(await maintenance).toBe('failed');
  expect(await waiting).toMatchObject({outcome: 'refreshed'});
});

test('maintained, a table is whole, and the one that reads it stays incremental', async () => {
  await using stack = await aStack();
  await stack.run('create table orders as select i as id, i % 100 as k, i as amount from range(500) as t(i)');
  await stack.create('kept', 'select id, k, amount from orders where amount % 2 = 0');
  await stack.create('totals', 'select k, count(*) as n, sum(amount) as s from kept group by k');
  for (let i = 0; i < 4; i++) {
    await stack.run(`update orders set k = k + 1 where id % 100 = ${2 * i}`);
    await (await stack.client.refresh('totals')).result();
  }
  const {outcome, before, after} = await stack.client.maintain('KEPT');
  expect({outcome, after}).toEqual({outcome: 'maintained', after: few});
  expect(before.data).toBeGreaterThan(3);
  expect(before.deletes).toBeGreaterThan(0);
  expect(await stack.client.maintain('kept')).toMatchObject({outcome: 'nothing-to-do', before: few});

  await stack.run('delete from orders where id < 4');
  expect(await (await stack.client.refresh('totals')).result()).toMatchObject({refresh: {action: 'INCREMENTAL'}});
  for (const table of ['kept', 'totals']) {
    expect(await stack.client.verify(table)).toMatchObject({table: `main.${table}`, verdict: 'equal'});
  }
});

test('a table whose files hold other rows than were left in it is rebuilt, and says why', async () => {
  await using stack = await aStack();
  await stack.run('create table orders as select i as id from range(50) as t(i)');
  await stack.create('kept', 'select id from orders where id >= 10');
  // What a compaction that lost a delete leaves: the catalog's count and the state row's differ.
  await stack.metadata.query(
    `update ducklake_data_file set record_count = record_count + 1 where table_id =
      (select table_id from ducklake_table where table_name = 'kept' and end_snapshot is null)`,
  );
  const reason = 'the table has 41 rows where 40 were left';
  expect(await stack.client.maintain('kept')).toMatchObject({outcome: 'rebuilt', reason});
  expect(await stack.client.verify('kept')).toMatchObject({verdict: 'equal', rows: 40});
  expect(await stack.client.history('kept', {limit: 1})).toMatchObject([{action: 'REINITIALIZE', reason}]);
  expect(await stack.client.maintain('kept')).toMatchObject({outcome: 'nothing-to-do'});
});

async function refresh(worker: TestWorker): Promise<RefreshResult> {
  // The result of our own workflow.
  return (await worker.execute('refreshDynamicTable', {table: 'main.totals'})) as RefreshResult;
}

/** Waits until so many have joined whoever holds the table's lock. */
async function joins({client, prefix}: TestWorker, count: number): Promise<void> {
  const apply = client.workflow.getHandle(`${prefix}dynamic-table:main.totals/apply`);
  await eventually(
    async () => (await apply.fetchHistory()).events ?? [],
    (events) =>
      events.filter((event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'join').length >= count,
  );
}
