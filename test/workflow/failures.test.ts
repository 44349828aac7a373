import {ScheduleOverlapPolicy} from '@temporalio/client';
import {ApplicationFailure} from '@temporalio/common';
import {expect, test, vi} from 'vitest';
import {mostFailuresInARow} from '../../src/metadata/dynamic-table.ts';
import {anAlertReceiver} from '../support/alert-receiver.ts';
import {eventually} from '../support/eventually.ts';
import {aFakeLake} from '../support/fake-lake.ts';
import {aStack, type Stack} from '../support/stack.ts';
import {aWorker} from '../support/worker.ts';

// Real statements on a real server, in whatever is left of the machine.
vi.setConfig({testTimeout: 180_000});

test.each([
  ['a temporary error is tried again until it is over', ApplicationFailure.retryable('away', 'unavailable'), 3],
  ['a permanent error fails once', ApplicationFailure.nonRetryable('no number', 'data_error'), 1],
])('%s', async (_, failure, attempts) => {
  const lake = aFakeLake({'main.totals': ['main.base']});
  let tries = 0;
  lake.onPublish = () => (++tries < 3 ? Promise.reject(failure) : Promise.resolve());
  await using worker = await aWorker(lake.activities);
  const ended = worker.execute('refreshDynamicTable', {table: 'main.totals'});
  if (attempts === 1) await expect(ended).rejects.toMatchObject({cause: {message: 'no number', type: 'data_error'}});
  else expect(await ended).toMatchObject({outcome: 'refreshed'});
  expect(tries).toBe(attempts);
});

test('a table whose data spoil it is suspended, told of, keeps its contents, and goes on when they are mended and it is resumed', async () => {
  await using receiver = await anAlertReceiver({refusals: 2});
  await using stack = await aStack({alerts: receiver.receiver});
  await stack.run(`create table base as select '1' as v`);
  await stack.create('numbers', 'select sum(cast(v as integer)) as s from base');
  await stack.create('doubled', 'select s * 2 as d from numbers');
  const {schedule} = await stack.client.describe('numbers');

  await stack.run(`insert into base values ('x')`);
  const message = expect.stringContaining("Could not convert string 'x'");
  await expect(refresh(stack, 'numbers')).rejects.toMatchObject({code: 'data_error', message});
  for (let failures = 1; failures <= mostFailuresInARow; failures++) {
    await tick(stack, 'main.numbers');
    const found = await stack.client.describe('numbers');
    expect(found).toMatchObject({
      failuresInARow: failures,
      rows: 1,
      lastRefresh: {trigger: 'schedule', error: message},
    });
    expect(found.state).toBe(failures < mostFailuresInARow ? 'active' : 'auto_suspended');
  }

  const suspension = {kind: 'failures', code: 'data_error', error: message};
  expect(await stack.client.list()).toMatchObject([
    {table: 'main.doubled', state: 'active', suspension: null},
    {table: 'main.numbers', state: 'auto_suspended', suspension},
  ]);
  expect(await stack.client.describe('numbers')).toMatchObject({schedule: {paused: true, note: message}});
  expect(await stack.client.describe('doubled')).toMatchObject({
    suspendedUpstreams: [{table: 'main.numbers', suspension}],
  });
  const entries = await stack.client.history('numbers');
  expect(entries.map(({hasSuspended}) => hasSuspended).slice(0, 6)).toEqual([true, ...Array<boolean>(5).fill(false)]);

  // Told of once each, though the first two posts were refused.
  const [told] = await receiver.posted('suspension', 1);
  expect(told?.alert).toMatchObject({
    table: 'main.numbers',
    code: 'data_error',
    failuresInARow: 5,
    runId: entries[0]?.runId,
  });
  for (const post of receiver.posts) expect(post.headers['x-freshet-signature']).toBe(receiver.signature(post));
  await eventually(
    () => Promise.resolve(new Set(receiver.posts.map(({alert}) => alert.id))),
    (ids) => ids.size === 7,
  );

  // A tick of a suspended table does nothing; its reader keeps what it has and says why.
  expect(await tick(stack, 'main.numbers')).toMatchObject({outcome: 'suspended', table: 'main.numbers'});
  expect(await stack.client.history('numbers')).toHaveLength(entries.length);
  await expect(refresh(stack, 'doubled')).rejects.toMatchObject({
    ...{code: 'data_error', message: expect.stringContaining('Upstream main.numbers: ')},
  });
  expect(await stack.rows('select d::varchar from doubled')).toEqual([['2']]);

  // Mended, its reader pulls it, and by hand it is refreshed; its schedule waits to be resumed.
  await stack.run(`update base set v = '5' where v = 'x'`);
  expect(await refresh(stack, 'doubled')).toMatchObject({outcome: 'refreshed'});
  expect(await stack.rows('select d::varchar from doubled')).toEqual([['12']]);
  expect(await stack.client.describe('numbers')).toMatchObject({state: 'auto_suspended', failuresInARow: 0});
  expect(await stack.client.execute('alter dynamic table NUMBERS resume')).toEqual({
    ...{kind: 'resume', result: {table: 'main.numbers', outcome: 'resumed', readers: [], suspendedUpstream: null}},
  });
  expect(await stack.client.describe('numbers')).toMatchObject({
    ...{state: 'active', suspension: null, schedule: {paused: false, note: schedule?.note}},
  });
  await stack.run(`insert into base values ('4')`);
  expect(await tick(stack, 'main.numbers')).toMatchObject({outcome: 'refreshed'});
  expect(await stack.client.verify('numbers')).toMatchObject({verdict: 'equal'});
  expect(await stack.client.resume('numbers')).toMatchObject({outcome: 'active'});
  // Temporal has lost it.
  await stack.temporal.schedule.getHandle(`${stack.prefix}dynamic-table:main.numbers`).delete();
  expect(await stack.client.resume('numbers')).toMatchObject({outcome: 'resumed'});
  expect((await stack.client.describe('numbers')).schedule).toMatchObject({paused: false, note: schedule?.note});
  await expect(stack.client.resume('numbrs')).rejects.toMatchObject({code: 'unknown_dynamic_table'});
});

test('a source or a column that is gone fails a refresh once, and it goes on when it is back', async () => {
  await using stack = await aStack();
  await stack.run('create table one as select 1 as v, 2 as w');
  await stack.run('create table two as select 1 as v, 2 as w');
  for (const name of ['one', 'two']) await stack.create(`total_${name}`, `select sum(v) as s from ${name}`);
  await stack.run('drop table one');
  await stack.run('alter table two drop column v');

  const started = performance.now();
  const failures = ['total_one', 'total_two'].map((table) => refresh(stack, table).catch((error: unknown) => error));
  const [one, two] = await Promise.all(failures);
  // Tried again they would have taken more than a minute.
  expect(performance.now() - started).toBeLessThan(45_000);
  expect(one).toMatchObject({code: 'source_changed', message: expect.stringMatching(/total_one reads .*\bone\b/)});
  expect(two).toMatchObject({code: 'source_changed', message: expect.stringMatching(/total_two reads .*"v"/)});
  for (const name of ['one', 'two']) {
    expect(await stack.client.history(`total_${name}`)).toMatchObject([
      {errorCode: 'source_changed'},
      {action: 'INITIAL'},
    ]);
    expect(await stack.rows(`select s::varchar from total_${name}`)).toEqual([['1']]);
  }

  await stack.run('create table one as select 7 as v');
  await stack.run('alter table two add column v integer');
  for (const name of ['one', 'two']) {
    expect(await refresh(stack, `total_${name}`)).toMatchObject({outcome: 'refreshed'});
    expect(await stack.client.verify(`total_${name}`)).toMatchObject({verdict: 'equal'});
  }
});

async function refresh(stack: Stack, table: string) {
  return (await stack.client.refresh(table)).result();
}

/** A run by the table's schedule, to its end. */
async function tick({temporal, prefix}: Stack, table: string): Promise<unknown> {
  const schedule = temporal.schedule.getHandle(`${prefix}dynamic-table:${table}`);
  const before = (await schedule.describe()).info.numActionsTaken;
  await schedule.trigger(ScheduleOverlapPolicy.BUFFER_ONE);
  const {info} = await eventually(
    () => schedule.describe(),
    (description) => description.info.numActionsTaken > before,
  );
  const run = info.recentActions.at(-1)?.action.workflow;
  if (run === undefined) throw new Error('the schedule started nothing');
  return temporal.workflow
    .getHandle(run.workflowId, run.firstExecutionRunId)
    .result()
    .catch((failure: unknown) => failure);
}
