import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import {expect, test, vi} from 'vitest';
import {provisionTemporalCli} from '../../src/dev/provision.ts';
import {applyId} from '../../src/temporal-names.ts';
import {eventually} from '../support/eventually.ts';
import {temporalAddress} from '../support/servers.ts';
import {aStack, type Stack} from '../support/stack.ts';

// Real statements on a real server, in whatever is left of the machine.
vi.setConfig({testTimeout: 180_000});

test('a table is created, filled, changed and refreshed', async () => {
  await using stack = await aStack();
  await stack.run('create table orders (id integer, region varchar, amount integer)');
  await stack.run(`insert into orders select i, 'r' || (i % 100), i from range(1000) as t(i)`);

  const created = await stack.client.create(`create dynamic table totals target_lag = '1 day' priority = 2
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
    priority: 2,
    schedule: {paused: false},
  });
  const apply = await stack.temporal.workflow.getHandle(applyId(stack.prefix, 'main.totals')).describe();
  expect(apply.priority?.priorityKey).toBe(2);
  expect(await stack.client.drop('totals')).toEqual({table: 'main.totals', outcome: 'dropped'});
  expect(await stack.client.list()).toEqual([]);
});

test('ticks refresh a table by themselves, and several tables at one snapshot', async () => {
  await using stack = await aStack();
  await stack.run('create table base as select i as v from range(10) as t(i)');
  for (const name of ['one', 'two']) {
    await stack.client.create(`create dynamic table ${name} target_lag = '10 seconds' as select sum(v) as s from base`);
  }
  await stack.run('insert into base values (100)');
  const entries = await eventually(
    async () => await stack.client.history(undefined, {limit: 100}),
    (all) =>
      ['main.one', 'main.two'].every((table) =>
        all.some((entry) => entry.table === table && entry.action === 'INCREMENTAL'),
      ),
  );
  const versions = entries.filter(({action}) => action === 'INCREMENTAL').map(({dataVersion}) => dataVersion);
  expect(new Set(versions).size).toBe(1);
  expect(entries.filter(({action}) => action === 'INCREMENTAL').map(({trigger}) => trigger)).toEqual([
    'schedule',
    'schedule',
  ]);
});

test('a diamond never mixes versions while a writer commits', async () => {
  await using stack = await aStack();
  await stack.run('create table base as select i as id, i % 5 as k, 1 as v from range(50) as t(i)');
  await stack.create('a', 'select k, count(*) as n, sum(v) as s from base group by k');
  await stack.create('b', 'select k, n from a where n > 0');
  await stack.create('c', 'select k, s from a where s > 0');
  // Had they been read at two versions, n and s of one key would differ: every v is 1.
  await stack.create('d', 'select b.k, b.n, c.s, b.n - c.s as difference from b join c on b.k = c.k');

  let isWriting = true;
  const writer = await stack.outsider();
  const writing = (async () => {
    for (let i = 0; isWriting; i++) {
      await writer.run(`insert into base values (${1000 + i}, ${i % 7}, 1)`);
      await writer.run(`delete from base where id = ${i}`);
    }
  })();
  for (let round = 0; round < 2; round++) {
    await Promise.all([finished(stack, 'd'), finished(stack, round % 2 === 0 ? 'b' : 'c'), finished(stack, 'a')]);
    expect(await stack.rows('select * from d where difference <> 0')).toEqual([]);
    expect(await stack.client.verify('d')).toMatchObject({verdict: 'equal'});
  }
  isWriting = false;
  await writing;
  expect(await finished(stack, 'd')).toMatchObject({outcome: 'refreshed'});
  expect(await stack.rows('select sum(n)::bigint, sum(s)::bigint from d')).toEqual(
    await stack.rows('select count(*), count(*) from base'),
  );
});

test('changes that a query discards move the version and no row, and are one entry of the history', async () => {
  await using stack = await aStack();
  await stack.run('create table base as select i as v from range(10) as t(i)');
  await stack.create('large', 'select v from base where v > 100');
  for (const v of [1, 2, 3]) {
    await stack.run(`insert into base values (${v})`);
    expect(await finished(stack, 'large')).toMatchObject({outcome: 'no-data', dataVersion: await versionBefore(stack)});
  }
  const [last, first, ...others] = await stack.client.history('large');
  expect(last).toMatchObject({action: 'NO_DATA', ticks: 3, changedRows: 3});
  expect(first).toMatchObject({action: 'INITIAL', rows: 0});
  expect(others).toEqual([]);
});

test('twenty starts at once: one applies, the others join it', async () => {
  await using stack = await aStack();
  await stack.run('create table base as select i as v from range(10) as t(i)');
  await stack.create('total', 'select sum(v) as s from base');
  await stack.run('insert into base values (100)');
  const results = await Promise.all(Array.from({length: 20}, () => finished(stack, 'total')));
  expect(results.filter(({outcome}) => outcome === 'refreshed')).toHaveLength(1);
  expect(results.filter(({outcome}) => outcome === 'joined' || outcome === 'no-data')).toHaveLength(19);
  expect(await stack.rows('select s from total')).toEqual([['145']]);
  const applied = (await stack.client.history('total', {limit: 50})).filter(({action}) => action !== 'NO_DATA');
  expect(applied.map(({action}) => action)).toEqual(['INCREMENTAL', 'INITIAL']);
});

test('a running statement tells how far it is in the heartbeat, and cancelling the refresh interrupts it', async () => {
  await using stack = await aStack();
  await stack.run('create table base as select i as v from range(100000) as t(i)');
  const slow = `select count(*) as n from base as a, base as b where hash(a.v, b.v) % 7 = 3`;
  await stack.client.create(
    `create dynamic table slow target_lag = '1 day' refresh_mode = full initialize = on_schedule as ${slow}`,
  );
  const handle = await stack.client.refresh('slow');
  // Another one, which waits for it, tells the same.
  const second = await stack.client.refresh('slow');
  const told = await Promise.all(
    [handle, second].map((each) =>
      eventually(
        () => each.progress(),
        // Before it comes a statement that is over soon.
        (now) => now?.statement?.label === 'recompute' && now.statement.percent !== null,
      ),
    ),
  );
  for (const {phase, statement} of told.map((now) => now!)) {
    expect({phase, statement}).toEqual({
      phase: 'publish',
      statement: {
        label: 'recompute',
        seconds: expect.any(Number),
        percent: expect.any(Number),
        rows: expect.any(Number),
        totalRows: expect.any(Number),
      },
    });
  }
  const seen = await eventually(
    () => stack.client.overview(),
    ([slow]) => slow?.running !== null,
  );
  expect(seen).toMatchObject([
    {table: 'main.slow', running: {phase: 'publish', statement: {label: 'recompute'}}, nextRun: expect.any(String)},
  ]);
  const started = performance.now();
  await second.cancel();
  await handle.cancel();
  for (const each of [second, handle]) await expect(each.result()).rejects.toMatchObject({code: 'cancelled'});
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(await stack.client.history('slow')).toMatchObject([
    {errorCode: 'cancelled', action: null},
    {errorCode: 'cancelled', action: null},
  ]);
  expect(await stack.rows('select count(*) from slow')).toEqual([[0]]);
});

test('a table is dropped while it is refreshed', async () => {
  await using stack = await aStack();
  await stack.run('create table base as select i as v from range(100000) as t(i)');
  const slow = 'select count(*) as n from base as a, base as b where hash(a.v, b.v) % 7 = 3';
  await stack.client.create(
    `create dynamic table slow target_lag = '1 day' refresh_mode = full initialize = on_schedule as ${slow}`,
  );
  const refresh = await stack.client.refresh('slow');
  await eventually(
    () => refresh.progress(),
    (progress) => progress?.phase === 'publish',
  );
  expect(await stack.client.drop('slow')).toEqual({table: 'main.slow', outcome: 'dropped'});
  await expect(refresh.result()).rejects.toMatchObject({code: 'cancelled'});
  const left = `select table_name from duckdb_tables() where database_name = 'lake' and table_name <> 'base'`;
  expect(await stack.rows(left)).toEqual([]);
});

test('what fails is said once and clearly: by the run, and in the history', async () => {
  await using stack = await aStack();
  await stack.run(`create table base as select '1' as v`);
  await stack.create('numbers', 'select sum(cast(v as integer)) as s from base');
  await stack.run(`insert into base values ('x')`);
  const refresh = (await stack.client.refresh('numbers')).result();
  await expect(refresh).rejects.toMatchObject({
    code: 'data_error',
    message: expect.stringContaining("Could not convert string 'x'"),
  });
  expect(await stack.client.history('numbers')).toMatchObject([{errorCode: 'data_error'}, {action: 'INITIAL'}]);
  expect(await stack.client.verify('numbers')).toMatchObject({verdict: 'equal'});
});

test('a table whose first refresh fails leaves nothing behind', async () => {
  await using stack = await aStack();
  await stack.run(`create table base as select 'x' as v`);
  const create = stack.create('numbers', 'select sum(cast(v as integer)) as s from base');
  await expect(create).rejects.toMatchObject({code: 'data_error'});
  expect(await stack.client.list()).toEqual([]);
  const left = `select table_name from duckdb_tables() where database_name = 'lake' and table_name <> 'base'`;
  expect(await stack.rows(left)).toEqual([]);
  await expect(
    stack.temporal.schedule.getHandle(`${stack.prefix}dynamic-table:main.numbers`).describe(),
  ).rejects.toThrow();
});

test('the temporal CLI triggers, pauses and runs', async () => {
  await using stack = await aStack();
  const temporal = await theCli();
  await stack.run('create table base as select i as v from range(10) as t(i)');
  await stack.create('total', 'select sum(v) as s from base');
  const id = `${stack.prefix}dynamic-table:main.total`;

  await stack.run('insert into base values (100)');
  await temporal('schedule', 'trigger', '--schedule-id', id, '--overlap-policy', 'BufferOne');
  const entries = await eventually(
    () => stack.client.history('total'),
    ([last]) => last?.action === 'INCREMENTAL',
  );
  expect(entries).toMatchObject([{trigger: 'schedule'}, {trigger: 'create'}]);

  await temporal('schedule', 'toggle', '--schedule-id', id, '--pause', '--reason', 'backfilling source');
  expect((await stack.client.describe('total')).schedule).toMatchObject({paused: true, note: 'backfilling source'});
  await temporal('schedule', 'toggle', '--schedule-id', id, '--unpause', '--reason', 'done');
  expect((await stack.client.describe('total')).schedule).toMatchObject({paused: false});

  await stack.run('insert into base values (1000)');
  const queue = ['--task-queue', `${stack.prefix}freshet`];
  const run = ['workflow', 'execute', '--type', 'refreshDynamicTable', ...queue];
  const {stdout} = await temporal(...run, '--input', '{"table":"total"}', '-o', 'json');
  expect(JSON.parse(stdout)).toMatchObject({status: 'COMPLETED', result: {table: 'main.total', outcome: 'refreshed'}});
  const failed = await temporal(...run, '--input', '{"table":"totl"}').catch((error: unknown) => error);
  expect(String((failed as {stdout: string}).stdout)).toContain('There is no dynamic table main.totl.');
});

test('a table that somebody has written into is replaced by its next refresh', async () => {
  await using stack = await aStack();
  await stack.run('create table base as select i as k, i * 10 as v from range(3) as t(i)');
  await stack.create('t', 'select k, v from base');
  await stack.run('update t set v = 7 where k = 1');
  expect(await stack.client.verify('t')).toMatchObject({
    verdict: 'different',
    missing: 1,
    unexpected: 1,
    note: 'somebody else wrote into the table, which its next refresh replaces',
  });
  expect(await finished(stack, 't')).toMatchObject({
    refresh: {action: 'FULL', reason: expect.stringContaining('somebody else wrote')},
  });
  expect(await stack.client.verify('t')).toMatchObject({verdict: 'equal', note: null});
  expect(await stack.rows('select k, v from t order by k')).toEqual([
    [0, 0],
    [1, 10],
    [2, 20],
  ]);
});

test('verify shows the rows that differ, and forgives the last bits of float sums alone', async () => {
  await using stack = await aStack();
  await stack.run('create table base as select i as k, i + 0.5::double as v from range(3) as t(i)');
  await stack.create('t', 'select k, max(v) as largest, sum(v) as s from base group by k');
  const spoil = async (assignment: string) => {
    await stack.run(`update t set ${assignment} where k = 1`);
    // As if a refresh had written it.
    await stack.run('update freshet_state."main.t" set refresh_id = refresh_id');
  };
  await spoil('s = s + 1e-13');
  expect(await stack.client.verify('t')).toMatchObject({verdict: 'equal', note: expect.stringContaining('last bits')});
  await spoil('largest = largest + 1e-13');
  expect(await stack.client.verify('t')).toMatchObject({
    verdict: 'different',
    missing: 1,
    unexpected: 1,
    columns: ['k', 'largest', 's'],
    differences: [
      {side: 'missing', count: 1, values: ['1', '1.5', '1.5']},
      {side: 'unexpected', count: 1, values: ['1', '1.5000000000001', '1.5000000000001']},
    ],
  });
});

test('verify forgives the sign of a zero that a file of the table has lost', async () => {
  await using stack = await aStack();
  await stack.run(`call lake.set_option('data_inlining_row_limit', 0)`);
  await stack.run(
    `create table base as select i as k, case when i = 0 then '-0.0'::double else 0.0 end as v from range(2) as t(i)`,
  );
  await stack.create('t', 'select k, v from base, range(8)');
  expect(await stack.rows(`select count(*) from t where k = 1 and v::varchar = '-0.0'`)).toEqual([[8]]);
  expect(await stack.client.verify('t')).toMatchObject({
    verdict: 'equal',
    note: expect.stringContaining('sign of a zero'),
  });
});

/** The snapshot before our own last commit, which moved the version alone. */
async function versionBefore(stack: Stack): Promise<number> {
  return (await stack.snapshot()) - 1;
}

async function finished(stack: Stack, table: string) {
  return await (await stack.client.refresh(table)).result();
}

async function theCli() {
  const program = await provisionTemporalCli();
  return (...args: string[]) => promisify(execFile)(program, [...args, '--address', temporalAddress()]);
}
