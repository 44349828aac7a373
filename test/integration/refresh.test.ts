import {expect, test} from 'vitest';
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
