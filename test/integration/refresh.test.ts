import {expect, test} from 'vitest';
import {lookUpSnapshots} from '../../src/activities/look-up-snapshots.ts';
import type {Lake} from '../../src/lake/lake.ts';
import {aDynamicTable} from '../support/dynamic-table.ts';
import {aLake} from '../support/lake.ts';

const orders = [
  'CREATE TABLE orders (id INTEGER, region VARCHAR, amount DECIMAL(10,2))',
  `INSERT INTO orders VALUES (1, 'eu', 10), (2, 'us', 5), (3, NULL, 1), (4, 'eu', 2)`,
];

test('a table is filled, follows its source, and says what it did', async () => {
  await using lake = await aLake();
  for (const statement of orders) await lake.run(statement);
  const totals = await aDynamicTable(
    lake,
    'totals',
    'SELECT region, sum(amount) AS total, count(*) AS n FROM orders GROUP BY region',
  );

  expect(await totals.refresh()).toMatchObject({action: 'INITIAL'});
  expect(await totals.differences()).toEqual([]);

  await lake.run(`INSERT INTO orders VALUES (5, 'eu', 7), (6, NULL, 3)`);
  await lake.run(`UPDATE orders SET region = 'us' WHERE id = 1`);
  const done = await totals.refresh();
  expect(done).toMatchObject({action: 'INCREMENTAL', reason: null});
  expect(done.published?.summary).toMatchObject({rowsDeleted: 3, rowsInserted: 3, recomputed: 'keys'});
  expect(await totals.differences()).toEqual([]);

  await lake.run(`DELETE FROM orders WHERE region IS NULL`);
  expect(await totals.refresh()).toMatchObject({action: 'INCREMENTAL'});
  expect(await totals.differences()).toEqual([]);

  expect(await totals.refresh()).toMatchObject({action: 'NO_DATA'});
});

test('a refresh of few groups reads few rows, on both sides of a join', async () => {
  await using lake = await aLake();
  await lake.run(
    'CREATE TABLE orders AS SELECT range AS id, range % 100 AS customer, range % 9 AS amount FROM range(10000)',
  );
  await lake.run(`CREATE TABLE customers AS SELECT range AS id, 'name ' || range AS name FROM range(100)`);
  const query = `SELECT c.id, count(DISTINCT o.amount) AS amounts FROM orders o JOIN customers c ON o.customer = c.id GROUP BY c.id`;
  const totals = await aDynamicTable(lake, 'totals', query);
  await totals.refresh();
  await lake.run('INSERT INTO orders VALUES (10000, 7, 100)');
  const done = await totals.refresh();
  // One changed row, the hundred orders of its customer and the new one, and the customer.
  expect(done.published?.summary).toMatchObject({action: 'INCREMENTAL', rowsScanned: 103, rowsInserted: 1});
  expect(await totals.differences()).toEqual([]);
});

test('a table that is recomputed publishes the difference to its readers, who stay incremental', async () => {
  await using lake = await aLake();
  for (const statement of orders) await lake.run(statement);
  await lake.run(`CREATE TABLE names AS SELECT 'eu' AS region, 'Europe' AS name`);
  const below = await aDynamicTable(
    lake,
    'named',
    'SELECT id, name, amount FROM orders LEFT JOIN names USING (region)',
  );
  await below.refresh({hasReaders: true});
  const above = await aDynamicTable(lake, 'by_name', 'SELECT name, sum(amount) AS total FROM named GROUP BY name');
  const follow = async () => {
    const dataVersion = await lake.snapshot();
    const first = await below.refresh({dataVersion, hasReaders: true});
    return {first, second: await above.refresh({dataVersion, upstreams: {'main.named': below.publication()}})};
  };
  await follow();
  await lake.run(`INSERT INTO orders VALUES (9, 'eu', 7)`);
  const {first, second} = await follow();
  expect(first.published?.summary).toMatchObject({action: 'FULL', rowsDeleted: 0, rowsInserted: 1});
  expect(second.published?.summary).toMatchObject({action: 'INCREMENTAL', rowsDeleted: 1, rowsInserted: 1});
  expect(await above.differences()).toEqual([]);
});

test('a burst is recomputed without reading its feed', async () => {
  await using lake = await aLake();
  for (const statement of orders) await lake.run(statement);
  const copy = await aDynamicTable(lake, 'copy', 'SELECT id, amount FROM orders', {cardinalityThreshold: 0.3});
  await copy.refresh();
  await lake.run(`INSERT INTO orders SELECT range, 'eu', 1 FROM range(100, 120)`);
  const done = await copy.refresh();
  expect(done.action).toBe('FULL');
  expect(done.reason).toContain('would read 83.3 % of what a recomputation reads');
  expect(await copy.differences()).toEqual([]);
});

test('a look-up asks as much for three sources as for one', async () => {
  await using lake = await aLake();
  for (const name of ['a', 'b', 'c']) await lake.run(`CREATE TABLE ${name} AS SELECT range AS k FROM range(3)`);
  const one = await aDynamicTable(lake, 'one', 'SELECT k FROM a');
  const three = await aDynamicTable(lake, 'three', 'SELECT k FROM a JOIN b USING (k) JOIN c USING (k)');
  for (const table of [one, three]) await table.refresh();
  await lake.run('INSERT INTO a VALUES (3)');

  let statements = 0;
  const counting: Lake = {
    ...lake.lake,
    look: (work, signal) =>
      lake.lake.look(
        (session) => work({...session, rows: (...asked) => (statements++, session.rows(...asked))}),
        signal,
      ),
  };
  const asked: number[] = [];
  for (const table of [one, three]) {
    const input = {apply: await table.apply()};
    // The first of a process binds the query.
    await lookUpSnapshots({lake: counting}, input);
    statements = 0;
    expect(await lookUpSnapshots({lake: counting}, input)).toMatchObject({kind: 'refresh', forced: null});
    asked.push(statements);
  }
  expect(asked[1]).toBe(asked[0]);
});
