import {expect, test} from 'vitest';
import {aStack} from '../support/stack.ts';

test('a table is created, filled, changed and refreshed', async () => {
  await using stack = await aStack();
  await stack.run('create table orders (id integer, region varchar, amount integer)');
  await stack.run(`insert into orders select i, 'r' || (i % 100), i from range(1000) as t(i)`);

  const created = await stack.client.create(`create dynamic table totals target_lag = '1 day'
    as select region, count(*) as orders, sum(amount) as amount from lake.main.orders group by region`);
  expect(created).toMatchObject({
    table: 'main.totals',
    outcome: 'created',
    mode: 'incremental',
    refresh: {outcome: 'refreshed', refresh: {action: 'INITIAL', rows: 100}},
  });

  await stack.run(`insert into orders values (1001, 'r5', 7), (1002, 'new', 1)`);
  const refreshed = await (await stack.client.refresh('totals')).result();
  expect(refreshed).toMatchObject({
    outcome: 'refreshed',
    refresh: {action: 'INCREMENTAL', rowsInserted: 2, rowsDeleted: 1},
  });
  expect(await stack.client.verify('totals')).toMatchObject({verdict: 'equal', missing: 0, unexpected: 0, rows: 101});

  const before = await stack.snapshot();
  expect(await (await stack.client.refresh('totals')).result()).toMatchObject({outcome: 'no-data'});
  expect(await stack.snapshot()).toBe(before);

  expect(await stack.client.history('totals')).toMatchObject([
    {action: 'NO_DATA', ticks: 1},
    {action: 'INCREMENTAL', trigger: 'manual', changedRows: 2, affectedKeys: 2},
    {action: 'INITIAL', trigger: 'create'},
  ]);
  expect(await stack.client.describe('totals')).toMatchObject({
    state: 'active',
    rows: 101,
    sources: ['main.orders'],
    schedule: {paused: false},
  });
  expect(await stack.client.drop('totals')).toEqual({table: 'main.totals', outcome: 'dropped'});
  expect(await stack.client.list()).toEqual([]);
});
