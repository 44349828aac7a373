import {Client} from 'pg';
import {expect, test} from 'vitest';
import {isUnchanged} from '../../src/activities/unchanged.ts';
import {readState} from '../../src/lake/state.ts';
import {aDynamicTable} from '../support/dynamic-table.ts';
import type {TestTable} from '../support/dynamic-table.ts';
import {aLake} from '../support/lake.ts';
import type {TestLake} from '../support/lake.ts';

/** What has given wrong rows somewhere, at the level of a whole refresh: right rows, or an action that names what happened. */

async function anOrdersLake(): Promise<TestLake & AsyncDisposable> {
  const lake = await aLake();
  await lake.run(`CALL lake.set_option('data_inlining_row_limit', 0)`);
  await lake.run('CREATE TABLE orders (id INTEGER, region VARCHAR, amount INTEGER)');
  await lake.run(
    `INSERT INTO orders SELECT range, CASE range % 3 WHEN 0 THEN 'eu' WHEN 1 THEN 'us' END, range % 7 FROM range(100)`,
  );
  return lake;
}

const totalsQuery = 'SELECT region, sum(amount) AS total, count(*) AS n FROM orders GROUP BY region';

async function totalsOf(lake: TestLake, query = totalsQuery): Promise<TestTable> {
  const totals = await aDynamicTable(lake, 'totals', query);
  expect(await totals.refresh()).toMatchObject({action: 'INITIAL'});
  return totals;
}

test('a source that was dropped and created again begins anew', async () => {
  await using lake = await anOrdersLake();
  const totals = await totalsOf(lake);
  await lake.run('CREATE OR REPLACE TABLE orders (id INTEGER, region VARCHAR, amount INTEGER)');
  await lake.run(`INSERT INTO orders VALUES (1, 'mars', 3)`);
  expect(await totals.refresh()).toMatchObject({
    action: 'REINITIALIZE',
    reason: 'main.orders was dropped and created again',
  });
  expect(await totals.differences()).toEqual([]);
});

test('a column dropped and added again begins anew, though the feed is empty', async () => {
  await using lake = await anOrdersLake();
  const totals = await totalsOf(lake);
  await lake.run('ALTER TABLE orders DROP COLUMN amount');
  await lake.run('ALTER TABLE orders ADD COLUMN amount INTEGER DEFAULT 9');
  const done = await totals.refresh();
  expect(done.action).toBe('REINITIALIZE');
  expect(done.reason).toContain('"amount" is another column');
  expect(await totals.differences()).toEqual([]);
});

test('two columns that swapped their names begin anew', async () => {
  await using lake = await anOrdersLake();
  const totals = await totalsOf(lake, 'SELECT id, count(*) AS n, sum(amount) AS total FROM orders GROUP BY id');
  await lake.run('ALTER TABLE orders RENAME COLUMN id TO other');
  await lake.run('ALTER TABLE orders RENAME COLUMN amount TO id');
  await lake.run('ALTER TABLE orders RENAME COLUMN other TO amount');
  expect(await totals.refresh()).toMatchObject({action: 'REINITIALIZE'});
  expect(await totals.differences()).toEqual([]);
});

test('a column that the query does not use may come and go', async () => {
  await using lake = await anOrdersLake();
  const totals = await totalsOf(lake);
  await lake.run('ALTER TABLE orders ADD COLUMN note VARCHAR');
  await lake.run(`INSERT INTO orders VALUES (200, 'eu', 1, 'x')`);
  expect(await totals.refresh()).toMatchObject({action: 'INCREMENTAL'});
  await lake.run('ALTER TABLE orders DROP COLUMN note');
  await lake.run(`INSERT INTO orders VALUES (201, 'eu', 1)`);
  expect(await totals.refresh()).toMatchObject({action: 'INCREMENTAL'});
  expect(await totals.differences()).toEqual([]);
});

test('a column that is gone fails the refresh and names it; the contents stay', async () => {
  await using lake = await anOrdersLake();
  const totals = await totalsOf(lake);
  const before = await lake.rows('FROM totals ORDER BY ALL');
  await lake.run('ALTER TABLE orders DROP COLUMN amount');
  await expect(totals.refresh()).rejects.toMatchObject({
    code: 'source_changed',
    message: expect.stringContaining('amount') as string,
  });
  expect(await lake.rows('FROM totals ORDER BY ALL')).toEqual(before);
});

test('a column that is renamed under a * fails the refresh and is named, and the refresh goes on when it is back', async () => {
  await using lake = await anOrdersLake();
  const copy = await aDynamicTable(lake, 'copy', 'SELECT * FROM orders WHERE id < 50');
  await copy.refresh();
  await lake.run('ALTER TABLE orders RENAME COLUMN amount TO price');
  await lake.run('DELETE FROM orders WHERE id = 1');
  await expect(copy.refresh()).rejects.toMatchObject({
    code: 'source_changed',
    message: expect.stringContaining('main.orders has no column "amount" any more') as string,
  });
  await lake.run('ALTER TABLE orders RENAME COLUMN price TO amount');
  expect(await copy.refresh()).toMatchObject({action: 'INCREMENTAL'});
  expect(await copy.differences()).toEqual([]);
});

test.each(['one in the middle', 'the consumed one'])('an expired snapshot, %s, is recomputed', async (which) => {
  await using lake = await anOrdersLake();
  const totals = await totalsOf(lake);
  const consumed = (await totals.apply()).dataVersion - 1;
  await lake.run(`UPDATE orders SET amount = 100 WHERE id = 3`);
  const middle = await lake.snapshot();
  await lake.run(`INSERT INTO orders VALUES (300, 'us', 1)`);
  await lake.run(
    `CALL ducklake_expire_snapshots('lake', versions => [${which === 'the consumed one' ? consumed : middle}])`,
  );
  const done = await totals.refresh();
  expect(done.action).toBe('FULL');
  expect(done.reason).toContain('has been expired');
  expect(await totals.differences()).toEqual([]);
});

test('a rewrite of the files is no change', async () => {
  await using lake = await anOrdersLake();
  const totals = await totalsOf(lake);
  await lake.run('DELETE FROM orders WHERE id < 20');
  await lake.run(`CALL ducklake_rewrite_data_files('lake', 'orders', delete_threshold => 0)`);
  await lake.run('DELETE FROM orders WHERE id = 50');
  const done = await totals.refresh();
  expect(done).toMatchObject({action: 'INCREMENTAL'});
  expect(done.published?.summary.rowsDeleted).toBe(3);
  expect(await totals.differences()).toEqual([]);
});

test('deletes that are dated back to what was consumed are noticed', async () => {
  await using lake = await anOrdersLake();
  await lake.run('DELETE FROM orders WHERE id = 0');
  const late = await lake.outsider();
  await late.run('BEGIN');
  await late.run('DELETE FROM orders WHERE id BETWEEN 10 AND 29');
  // The table's own creation and publication commit while the delete is open, which dates it before them.
  await lake.run('CREATE TABLE elsewhere (n INTEGER)');
  const totals = await totalsOf(lake);
  await late.run('COMMIT');
  const done = await totals.refresh();
  expect(done.action).toBe('FULL');
  expect(done.reason).toContain('does not add up');
  expect(await totals.differences()).toEqual([]);
});

test("columns named like the feed's own are only columns", async () => {
  await using lake = await aLake();
  await lake.run('CREATE TABLE odd (snapshot_id INTEGER, rowid INTEGER, n INTEGER)');
  await lake.run('INSERT INTO odd VALUES (1, 1, 1), (1, 2, 2), (2, 1, 3)');
  const totals = await aDynamicTable(
    lake,
    'totals',
    'SELECT snapshot_id AS s, rowid AS r, sum(n) AS n FROM odd GROUP BY ALL',
  );
  await totals.refresh();
  await lake.run('UPDATE odd SET n = 10 WHERE rowid = 1');
  await lake.run('DELETE FROM odd WHERE snapshot_id = 1 AND rowid = 2');
  expect(await totals.refresh()).toMatchObject({action: 'INCREMENTAL'});
  expect(await totals.differences()).toEqual([]);
});

test('somebody else wrote into the table: it is replaced and said', async () => {
  await using lake = await anOrdersLake();
  const totals = await totalsOf(lake);
  await lake.run(`UPDATE totals SET n = 0 WHERE region = 'eu'`);
  await lake.run(`INSERT INTO orders VALUES (300, 'us', 1)`);
  const done = await totals.refresh();
  expect(done.action).toBe('FULL');
  expect(done.reason).toContain('somebody else wrote into the table');
  expect(await totals.differences()).toEqual([]);
  await lake.run(`INSERT INTO orders VALUES (301, 'us', 1)`);
  expect(await totals.refresh()).toMatchObject({action: 'INCREMENTAL'});
});

test('a view that means something else begins anew, with other columns', async () => {
  await using lake = await anOrdersLake();
  await lake.run(`CREATE VIEW recent AS SELECT region, amount FROM orders WHERE id >= 50`);
  const query = 'SELECT * FROM recent';
  const table = await aDynamicTable(lake, 'copy', query);
  await table.refresh();
  await lake.run(`CREATE OR REPLACE VIEW recent AS SELECT region, amount, id FROM orders WHERE id >= 60`);
  expect(await table.refresh()).toMatchObject({action: 'REINITIALIZE', reason: 'main.recent has another definition'});
  expect(await table.differences()).toEqual([]);
  await lake.run(`DELETE FROM orders WHERE id = 70`);
  expect(await table.refresh()).toMatchObject({action: 'INCREMENTAL'});
  expect(await table.differences()).toEqual([]);
});

test('a change that nets to nothing moves the watermarks and no row', async () => {
  await using lake = await anOrdersLake();
  const totals = await totalsOf(lake);
  const before = totals.publication();
  await lake.run(`INSERT INTO orders VALUES (400, 'eu', 1)`);
  await lake.run(`DELETE FROM orders WHERE id = 400`);
  expect(await totals.refresh()).toMatchObject({action: 'NO_DATA'});
  expect(totals.publication()).toMatchObject({contents: before.contents, generation: before.generation + 1});
  expect((await totals.refresh()).action).not.toBe('INCREMENTAL');
});

test('data on which the incremental statement alone fails is recomputed', async () => {
  await using lake = await aLake();
  await lake.run('CREATE TABLE a (k INTEGER, v VARCHAR)');
  await lake.run('CREATE TABLE b (k INTEGER, keep BOOLEAN)');
  await lake.run(`INSERT INTO a VALUES (1, 'x'), (2, '7')`);
  await lake.run(`INSERT INTO b VALUES (2, true)`);
  const query = 'SELECT a.k, CAST(a.v AS INTEGER) AS n FROM b JOIN a ON a.k = b.k';
  const table = await aDynamicTable(lake, 'numbers', query);
  await table.refresh();
  // The change of b meets a's old rows in a term of its own: 'x' and its key, which never stood together.
  await lake.run(`DELETE FROM a WHERE k = 1`);
  await lake.run(`INSERT INTO b VALUES (1, true)`);
  await lake.run(`INSERT INTO a VALUES (1, '5')`);
  const done = await table.refresh();
  expect(done.action).toBe('FULL');
  expect(done.reason).toContain('failed on the data');
  expect(await table.differences()).toEqual([]);
});

test('a snapshot id that is given out again is another snapshot', async () => {
  await using lake = await anOrdersLake();
  const totals = await totalsOf(lake);
  const {dataVersion: consumed} = await totals.apply();
  await lake.run(`INSERT INTO orders VALUES (300, 'us', 1)`);
  // What a catalog restored from a backup looks like, once it has counted up to the same id again.
  const catalog = new Client({connectionString: lake.options.catalog});
  await catalog.connect();
  await catalog.query(
    `UPDATE ducklake_snapshot SET snapshot_time = snapshot_time + interval '1 hour' WHERE snapshot_id < $1`,
    [consumed],
  );
  await catalog.end();
  const done = await totals.refresh();
  expect(done.action).toBe('FULL');
  expect(done.reason).toContain('has been expired');
  expect(await totals.differences()).toEqual([]);
});

test('a catalog that is restored beneath a worker is read anew, though its schema versions count up to the same again', async () => {
  await using lake = await anOrdersLake();
  await lake.run(`CREATE VIEW recent AS SELECT region, amount FROM orders WHERE id >= 50`);
  const table = await aDynamicTable(lake, 'copy', 'SELECT * FROM recent');
  await table.refresh();
  await lake.run('DELETE FROM orders WHERE id = 70');
  expect(await table.refresh()).toMatchObject({action: 'INCREMENTAL'});
  const catalog = new Client({connectionString: lake.options.catalog});
  await catalog.connect();
  await catalog.query(`UPDATE ducklake_snapshot SET snapshot_time = snapshot_time + interval '1 hour'`);
  await catalog.query(`UPDATE ducklake_view SET sql = replace(sql, '50', '90')`);
  await catalog.end();
  expect(await table.refresh()).toMatchObject({action: 'REINITIALIZE', reason: 'main.recent has another definition'});
  expect((await lake.rows('SELECT count(*) FROM copy'))[0]).toEqual([10]);
});

test('what the log of changes no longer tells is not taken for unchanged', async () => {
  await using lake = await anOrdersLake();
  const totals = await totalsOf(lake);
  const isStill = async () => {
    const state = await lake.lake.look((session) => readState(session, {schema: 'main', name: 'totals'}));
    if (state === null) throw new Error('no state');
    const nodes = [{name: 'main.totals', sources: ['main.orders']}];
    return await isUnchanged(lake.lake, 'main.totals', nodes, new Map([['main.totals', state]]), await lake.snapshot());
  };
  await lake.run('CREATE TABLE elsewhere (n INTEGER)');
  expect(await isStill()).toBe(true);
  await lake.run('DELETE FROM orders WHERE id = 1');
  const deleted = await lake.snapshot();
  await lake.run('CREATE TABLE elsewhere_too (n INTEGER)');
  await lake.run(`CALL ducklake_expire_snapshots('lake', versions => [${deleted}])`);
  expect(await isStill()).toBe(false);
  expect(await totals.refresh()).toMatchObject({action: 'FULL'});
  expect(await totals.differences()).toEqual([]);
});

test.each([
  ['itself', 'totals'],
  ['dynamic table main.other', 'other'],
])('a view that was replaced does not lead a table to %s, and one that was put back goes on', async (what, name) => {
  await using lake = await anOrdersLake();
  const other = await aDynamicTable(lake, 'other', totalsQuery);
  await other.refresh();
  await lake.run(`CREATE VIEW rows_of AS ${totalsQuery}`);
  const totals = await totalsOf(lake, 'SELECT region, total, n FROM rows_of');
  await lake.run(`CREATE OR REPLACE VIEW rows_of AS SELECT region, total + 1 AS total, n FROM ${name}`);
  await expect(totals.refresh()).rejects.toMatchObject({
    code: 'source_changed',
    message: `By a view or macro that was replaced, main.totals would read ${what} now.`,
  });
  await lake.run(`CREATE OR REPLACE VIEW rows_of AS ${totalsQuery}`);
  await lake.run(`INSERT INTO orders VALUES (300, 'us', 1)`);
  await totals.refresh();
  expect(await totals.differences()).toEqual([]);
});
