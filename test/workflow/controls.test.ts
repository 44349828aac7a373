import {afterAll, beforeAll, expect, test, vi} from 'vitest';
import {applyId} from '../../src/temporal-names.ts';
import {eventually} from '../support/eventually.ts';
import {aStack, type Stack} from '../support/stack.ts';

// Real statements on a real server, in whatever is left of the machine.
vi.setConfig({testTimeout: 180_000});

/** What an owner does to tables that are there, on one stack. */
let stack: Stack;
beforeAll(async () => {
  stack = await aStack();
  await stack.run('create table base as select i as k, i * 10 as v from range(3) as t(i)');
  await stack.create('totals', 'select k, sum(v) as s from base group by k');
  await stack.create('reader', 'select sum(s) as s from totals');
});
afterAll(() => stack[Symbol.asyncDispose]());

test('SUSPEND pauses the schedules of a table and its readers, and RESUME starts them again', async () => {
  const before = await stack.client.describe('reader');
  expect(await stack.client.execute('alter dynamic table Totals suspend')).toEqual({
    ...{kind: 'suspend', result: {table: 'main.totals', outcome: 'suspended', readers: ['main.reader']}},
  });
  expect(await stack.client.list()).toMatchObject([
    {table: 'main.reader', state: 'suspended', suspension: {kind: 'upstream', table: 'main.totals'}},
    {table: 'main.totals', state: 'suspended', suspension: {kind: 'user'}},
  ]);
  for (const table of ['totals', 'reader'])
    expect((await stack.client.describe(table)).schedule).toMatchObject({
      ...{paused: true, note: expect.stringContaining('freshet resume main.totals')},
    });
  // By hand it is refreshed, with the tables it reads.
  await stack.run('insert into base values (3, 30)');
  expect(await (await stack.client.refresh('reader')).result()).toMatchObject({outcome: 'refreshed'});
  expect(await stack.rows('select s::varchar from reader')).toEqual([['60']]);

  expect(await stack.client.resume('totals')).toMatchObject({outcome: 'resumed', readers: ['main.reader']});
  expect((await stack.client.describe('reader')).schedule).toMatchObject({
    ...{paused: false, note: before.schedule?.note},
  });
  await expect(stack.client.suspend('totls')).rejects.toMatchObject({code: 'unknown_dynamic_table'});
});

test('SET changes what a table is, and its contents stay and are carried on', async () => {
  const set = "set target_lag = '2 days', comment = 'for the dashboard', cardinality_threshold = 1, priority = 1";
  expect(await stack.client.execute(`alter dynamic table Totals ${set}`)).toEqual({
    ...{kind: 'alter', result: {table: 'main.totals', outcome: 'altered', mode: 'incremental', reasons: []}},
  });
  expect(await stack.client.describe('totals')).toMatchObject({
    ...{targetLag: '2 days', comment: 'for the dashboard'},
    schedule: {paused: false, note: expect.stringContaining('target lag 2 days: looked at every 81920 seconds')},
  });
  await stack.run('insert into base values (3, 31)');
  expect(await (await stack.client.refresh('totals')).result()).toMatchObject({refresh: {action: 'INCREMENTAL'}});
  expect(await stack.client.verify('totals')).toMatchObject({verdict: 'equal'});
  const apply = await stack.temporal.workflow.getHandle(applyId(stack.prefix, 'main.totals')).describe();
  expect(apply.priority?.priorityKey).toBe(1);
  expect((await stack.client.list()).map(({priority}) => priority)).toEqual([3, 1]);

  await stack.client.suspend('totals');
  await stack.client.alter('alter dynamic table totals set target_lag = downstream');
  expect((await stack.client.describe('totals')).schedule).toMatchObject({
    ...{paused: true, note: expect.stringContaining('freshet resume')},
  });
  await stack.client.resume('totals');
  expect((await stack.client.describe('totals')).schedule).toMatchObject({
    ...{paused: false, note: expect.stringContaining('refreshed when a table that reads it is')},
  });
});

test('RENAME takes a table and its schedule along, suspended as it was', async () => {
  const query = 'select k, max(v) as m from base group by k';
  expect(
    await stack.client.create(`create or replace dynamic table former target_lag = '1 day' as ${query}`),
  ).toMatchObject({outcome: 'created'});
  await stack.client.suspend('former');
  expect(await stack.client.execute('alter dynamic table former rename to latter')).toEqual({
    ...{kind: 'alter', result: {table: 'main.latter', outcome: 'altered', mode: 'incremental', reasons: []}},
  });
  await expect(stack.client.describe('former')).rejects.toMatchObject({code: 'unknown_dynamic_table'});
  const schedule = {paused: true, note: expect.stringContaining('freshet resume main.latter') as string};
  expect(await stack.client.describe('latter')).toMatchObject({state: 'suspended', schedule});
  const ids = [];
  for await (const {scheduleId} of stack.temporal.schedule.list()) ids.push(scheduleId);
  expect(ids).not.toContain(`${stack.prefix}dynamic-table:main.former`);
  expect(await stack.client.resume('latter')).toMatchObject({outcome: 'resumed'});
  await stack.run('insert into base values (0, 1000)');
  expect(await (await stack.client.refresh('latter')).result()).toMatchObject({outcome: 'refreshed'});
  expect(await stack.client.verify('latter')).toMatchObject({verdict: 'equal'});
  expect(await stack.client.drop('latter')).toMatchObject({outcome: 'dropped'});
});

test('CREATE OR REPLACE gives a table another query, and its readers begin anew', async () => {
  await stack.client.suspend('totals');
  const statement = `create or replace dynamic table totals target_lag = '2 days' as
    select k % 2 as parity, count(*) as s from base group by all`;
  expect(await stack.client.create(statement)).toMatchObject({
    ...{table: 'main.totals', outcome: 'replaced', columns: [{name: 'parity'}, {name: 's'}]},
    refresh: {outcome: 'refreshed', refresh: {action: 'REINITIALIZE'}},
  });
  expect(await stack.client.describe('totals')).toMatchObject({
    ...{state: 'active', targetLag: '2 days', comment: null, columns: [{name: 'parity'}, {name: 's'}]},
    schedule: {paused: false, note: expect.stringContaining('target lag 2 days') as string},
  });
  expect(await stack.client.describe('reader')).toMatchObject({state: 'active'});
  await stack.run('insert into base values (0, 1)');
  expect(await (await stack.client.refresh('reader')).result()).toMatchObject({refresh: {action: 'REINITIALIZE'}});
  expect(await stack.client.verify('totals')).toMatchObject({verdict: 'equal'});
  expect(await stack.client.verify('reader')).toMatchObject({verdict: 'equal'});
});

test('SHOW lists the tables of a name, DESCRIBE tells all about one', async () => {
  const shown = await stack.client.execute("show dynamic tables like 'TOTAL_'");
  expect(shown).toMatchObject({kind: 'show', result: [{table: 'main.totals', state: 'active'}]});
  expect(await stack.client.execute("show dynamic tables like 'main%'")).toEqual({kind: 'show', result: []});
  expect(await stack.client.execute('desc dynamic table Reader')).toMatchObject({
    ...{kind: 'describe', result: {table: 'main.reader', query: 'select sum(s) as s from totals'}},
  });
});

test('a schedule that was paused in Temporal is shown as such, with its note', async () => {
  const schedule = stack.temporal.schedule.getHandle(`${stack.prefix}dynamic-table:main.reader`);
  await schedule.pause('backfilling the source');
  const suspension = {kind: 'schedule', note: 'backfilling the source'};
  const listed = await eventually(
    async () => (await stack.client.list()).find(({table}) => table === 'main.reader'),
    (table) => table?.state === 'paused',
  );
  expect(listed).toMatchObject({suspension});
  expect(await stack.client.describe('reader')).toMatchObject({state: 'paused', suspension});
  await schedule.unpause();
  const states = (await stack.client.list()).map(({state}) => state);
  expect(new Set(states)).toEqual(new Set(['active']));
});
