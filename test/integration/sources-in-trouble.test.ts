import {expect, test} from 'vitest';
import {aDynamicTable, type TestTable} from '../support/dynamic-table.ts';
import {aLake, type TestLake} from '../support/lake.ts';

/*
 * What others do to a source: the rows stay right, or a refresh fails and names it, the table keeps its contents, and when the
 * source is back it goes on by itself.
 */

const query = 'SELECT region, sum(amount) AS total, count(*) AS n FROM orders GROUP BY region';

async function ordersAndTotals(): Promise<TestLake & AsyncDisposable & {readonly totals: TestTable}> {
  const lake = await aLake();
  await lake.run('CREATE TABLE orders (id INTEGER, region VARCHAR, amount INTEGER)');
  await lake.run(`INSERT INTO orders SELECT range, 'r' || (range % 3), range % 7 FROM range(100)`);
  const totals = await aDynamicTable(lake, 'totals', query);
  await totals.refresh();
  return {...lake, totals};
}

test.for([
  ['dropped', 'CREATE TABLE kept AS FROM orders; DROP TABLE orders', 'CREATE TABLE orders AS FROM kept', 'orders'],
  ['renamed', 'ALTER TABLE orders RENAME TO other', 'ALTER TABLE other RENAME TO orders', 'orders'],
  [
    'robbed of a column name',
    'ALTER TABLE orders RENAME COLUMN amount TO value',
    'ALTER TABLE orders RENAME COLUMN value TO amount',
    'amount',
  ],
] as const)('a source that is %s fails the refresh, which names it; once it is back, it goes on', async (given) => {
  const [, away, back, named] = given;
  await using lake = await ordersAndTotals();
  const {totals} = lake;
  const before = await lake.rows('FROM totals ORDER BY ALL');
  for (const statement of away.split('; ')) await lake.run(statement);
  await expect(totals.refresh()).rejects.toMatchObject({
    code: expect.stringMatching(/^(source_changed|unknown_source)$/) as string,
    message: expect.stringContaining(named) as string,
  });
  expect(await lake.rows('FROM totals ORDER BY ALL')).toEqual(before);
  await lake.run(back);
  await lake.run(`INSERT INTO orders VALUES (200, 'new', 5)`);
  await totals.refresh();
  expect(await totals.differences()).toEqual([]);
  await lake.run(`INSERT INTO orders VALUES (201, 'new', 6)`);
  expect(await totals.refresh()).toMatchObject({action: 'INCREMENTAL'});
  expect(await totals.differences()).toEqual([]);
});

test('a dynamic table that was renamed away, and is made anew by its refresh, is read by its readers in the same run', async () => {
  await using lake = await ordersAndTotals();
  const {totals} = lake;
  const reader = await aDynamicTable(lake, 'reader', 'SELECT count(*) AS regions, sum(total) AS total FROM totals');
  await reader.refresh({upstreams: {'main.totals': totals.publication()}});
  await lake.run('ALTER TABLE totals RENAME TO elsewhere');
  await lake.run(`INSERT INTO orders VALUES (200, 'new', 5)`);

  const dataVersion = await lake.snapshot();
  expect(await totals.refresh({dataVersion, hasReaders: true})).toMatchObject({action: 'REINITIALIZE'});
  await reader.refresh({dataVersion, upstreams: {'main.totals': totals.publication()}});
  expect(await reader.differences()).toEqual([]);
});

test('a column of another type gives the rows of that type', async () => {
  await using lake = await ordersAndTotals();
  const {totals} = lake;
  const kinds = await aDynamicTable(lake, 'kinds', 'SELECT id, typeof(amount) AS kind, amount FROM orders');
  await kinds.refresh();
  await lake.run('ALTER TABLE orders ALTER COLUMN amount TYPE BIGINT');
  await lake.run(`INSERT INTO orders VALUES (200, 'r1', 5000000000)`);
  for (const table of [totals, kinds]) {
    expect(await table.refresh(), table.name).toMatchObject({action: 'REINITIALIZE'});
    expect(await table.differences(), table.name).toEqual([]);
  }
  expect(await lake.rows('SELECT DISTINCT kind FROM kinds')).toEqual([['BIGINT']]);
});

test.for([
  ['merged', `CALL ducklake_merge_adjacent_files('lake')`],
  ['flushed', `CALL ducklake_flush_inlined_data('lake')`],
  ['rewritten', `CALL ducklake_rewrite_data_files('lake', 'orders', delete_threshold => 0)`],
  ['checkpointed', `CHECKPOINT lake`],
] as const)('a source whose files others have %s between two changes gives the right rows', async ([, maintenance]) => {
  await using lake = await ordersAndTotals();
  const {totals} = lake;
  const copies = await aDynamicTable(lake, 'copies', 'SELECT region, amount FROM orders');
  await copies.refresh();
  for (const round of [1, 2, 3]) {
    await lake.run(`INSERT INTO orders VALUES (${300 + round}, 'r1', ${round})`);
    await lake.run(`INSERT INTO orders SELECT ${1000 * round} + range, 'r2', 1 FROM range(40)`);
    await lake.run(`DELETE FROM orders WHERE id % 10 = ${round}`);
    await lake.run(maintenance);
    await lake.run(`UPDATE orders SET amount = amount + 1 WHERE id % 10 = ${round + 3}`);
    for (const table of [totals, copies]) {
      await table.refresh();
      expect(await table.differences(), `${table.name}, round ${round}`).toEqual([]);
    }
  }
});

test('every old snapshot expired and every old file removed by others: recomputed, and it says so', async () => {
  await using lake = await ordersAndTotals();
  const {totals} = lake;
  await lake.run(`DELETE FROM orders WHERE id < 50`);
  await lake.run(`UPDATE orders SET amount = 9 WHERE id = 60`);
  await lake.run(`CALL ducklake_expire_snapshots('lake', older_than => now() + INTERVAL 1 DAY)`);
  await lake.run(`CALL ducklake_cleanup_old_files('lake', cleanup_all => true)`);
  const done = await totals.refresh();
  expect(done.action).toBe('FULL');
  expect(done.reason).toContain('has been expired');
  expect(await totals.differences()).toEqual([]);
});
