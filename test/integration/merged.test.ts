import {randomUUID} from 'node:crypto';
import {expect, test} from 'vitest';
import {checkCardinality} from '../../src/activities/check-cardinality.ts';
import {extractChanges} from '../../src/activities/extract-changes.ts';
import {lookUpSnapshots} from '../../src/activities/look-up-snapshots.ts';
import {publishRefresh} from '../../src/activities/publish-refresh.ts';
import {maintainTable} from '../../src/activities/maintain.ts';
import {filesOf} from '../../src/lake/maintenance.ts';
import {allStates, dropState, groupsTable, readState} from '../../src/lake/state.ts';
import type {Published} from '../../src/refresh/messages.ts';
import {aDynamicTable, type TestTable} from '../support/dynamic-table.ts';
import {aLake, type TestLake} from '../support/lake.ts';

/** Changes that are merged into what is kept of groups, on a real lake. */

const table = {schema: 'main', name: 'totals'};
const hidden = 'freshet_state."main.totals-groups"';
const query = `SELECT region, sum(amount) AS total, max(amount) AS most, avg(amount) AS mean FROM orders GROUP BY region`;

async function withOrders(): Promise<TestLake & AsyncDisposable> {
  const lake = await aLake();
  await lake.run('CREATE TABLE orders (id INTEGER, region VARCHAR, amount DECIMAL(10,2))');
  await lake.run(`INSERT INTO orders SELECT range, 'r' || range % 10, range % 97 FROM range(1000)`);
  return lake;
}

async function refreshed(totals: TestTable, expected: object): Promise<void> {
  expect(await totals.refresh()).toMatchObject(expected);
  expect(await totals.differences()).toEqual([]);
}

const merged = (rowsScanned: number) => ({
  action: 'INCREMENTAL',
  published: {summary: {recomputed: 'none', rowsScanned}},
});

test('a change is merged, and nothing but the change is read', async () => {
  await using lake = await withOrders();
  const totals = await aDynamicTable(lake, 'totals', query);
  await refreshed(totals, {action: 'INITIAL'});
  expect(await lake.rows(`SELECT count(*) FROM ${hidden}`)).toEqual([[10]]);
  await lake.run(`INSERT INTO orders VALUES (2000, 'r1', 5), (2001, 'new', 1), (2002, NULL, 3)`);
  await refreshed(totals, merged(3));
  await lake.run(`DELETE FROM orders WHERE id IN (2001, 2002)`);
  await refreshed(totals, merged(2));
  // The greatest of r6 goes: of all groups only that one is read.
  await lake.run(`DELETE FROM orders WHERE region = 'r6' AND amount = 96`);
  await refreshed(totals, {action: 'INCREMENTAL', published: {summary: {recomputed: 'keys'}}});
  expect(await lake.rows(`SELECT count(*), sum(rows_1) FROM ${hidden}`)).toEqual(
    await lake.rows('SELECT count(DISTINCT region), count(*) FROM orders'),
  );
});

test('a table that shows all that is kept has no hidden one', async () => {
  await using lake = await withOrders();
  const totals = await aDynamicTable(
    lake,
    'totals',
    'SELECT region, count(*) AS n, count(amount) AS amounts, sum(amount) AS total FROM orders GROUP BY region',
  );
  await refreshed(totals, {action: 'INITIAL'});
  await lake.run(`UPDATE orders SET amount = NULL WHERE id < 5`);
  await refreshed(totals, merged(10));
  await lake.run(`UPDATE orders SET region = NULL WHERE id < 5`);
  await refreshed(totals, merged(10));
  expect(await hiddenTables(lake)).toEqual([]);
});

test('a table that was made before anything was kept is computed once more, and merged from then on', async () => {
  await using lake = await withOrders();
  const totals = await aDynamicTable(lake, 'totals', query);
  await totals.refresh();
  await lake.run(
    `UPDATE freshet_state."main.totals" SET fingerprint = json_merge_patch(fingerprint, '{"groups": null}')`,
  );
  await lake.run(`DROP TABLE ${hidden}`);
  await lake.run(`INSERT INTO orders VALUES (2000, 'r1', 5)`);
  await refreshed(totals, {
    action: 'FULL',
    reason: 'the counts and sums that changes are merged into are not kept yet',
  });
  await lake.run(`INSERT INTO orders VALUES (2001, 'r1', 5)`);
  await refreshed(totals, merged(1));
});

test.each([
  ['taken away', `DROP TABLE ${hidden}`, 'the counts and sums that changes are merged into are not kept yet'],
  ['written', `UPDATE ${hidden} SET rows_1 = rows_1 + 1`, /^somebody else wrote into the table/],
  ['emptied', `DELETE FROM ${hidden}`, /^somebody else wrote into the table/],
])('what is kept that somebody else has %s is made anew', async (_, statement, reason) => {
  await using lake = await withOrders();
  const totals = await aDynamicTable(lake, 'totals', query);
  await totals.refresh();
  await lake.run(statement);
  await lake.run(`INSERT INTO orders VALUES (2000, 'r1', 5)`);
  await refreshed(totals, {action: 'FULL', reason: expect.stringMatching(reason) as string});
  await lake.run(`DELETE FROM orders WHERE id = 2000`);
  await refreshed(totals, merged(1));
});

test('what is kept is filled anew by FULL and REINITIALIZE, and merged into again', async () => {
  await using lake = await withOrders();
  const totals = await aDynamicTable(lake, 'totals', query, {cardinalityThreshold: 0.3});
  await totals.refresh();
  await lake.run(`INSERT INTO orders SELECT range, 'r' || range % 20, range FROM range(2000, 4000)`);
  await refreshed(totals, {action: 'FULL', reason: expect.stringMatching(/^recomputing is cheaper/) as string});
  await lake.run(`DELETE FROM orders WHERE id = 3000`);
  await refreshed(totals, merged(1));
  await lake.run(`INSERT INTO orders SELECT range, 'r' || range % 30, range FROM range(4000, 8000)`);
  expect(await totals.refresh({hasReaders: true})).toMatchObject({action: 'FULL'});
  expect(await totals.differences()).toEqual([]);
  await lake.run(`DELETE FROM orders WHERE id BETWEEN 4000 AND 4100`);
  await refreshed(totals, merged(101));
  await lake.run('CREATE OR REPLACE TABLE orders AS SELECT * REPLACE (amount + 1 AS amount) FROM orders');
  await refreshed(totals, {action: 'REINITIALIZE'});
  await lake.run(`DELETE FROM orders WHERE id BETWEEN 5000 AND 5100`);
  await refreshed(totals, merged(101));
});

test('a net change of nothing carries what is kept on', async () => {
  await using lake = await withOrders();
  const totals = await aDynamicTable(lake, 'totals', query);
  await totals.refresh();
  await lake.run(`UPDATE orders SET id = id + 1 WHERE id = 7`);
  await refreshed(totals, {action: 'NO_DATA'});
  await lake.run(`UPDATE orders SET amount = -amount WHERE id = 11`);
  await refreshed(totals, {action: 'INCREMENTAL'});
});

test('where a sum is beyond what the lake holds nothing is kept, and groups are recomputed', async () => {
  await using lake = await aLake();
  await lake.run('CREATE TABLE t (k INTEGER, x DECIMAL(38,0))');
  const big = '60000000000000000000000000000000000000';
  await lake.run(`INSERT INTO t VALUES (1, ${big}), (1, 1), (2, 1)`);
  const totals = await aDynamicTable(
    lake,
    'totals',
    'SELECT k, sum(CAST(x AS HUGEINT)) > 5 AS is_big FROM t GROUP BY k',
  );
  await refreshed(totals, {action: 'INITIAL'});
  await lake.run(`INSERT INTO t VALUES (4, 1)`);
  await refreshed(totals, merged(1));
  await lake.run(`INSERT INTO t VALUES (1, ${big})`);
  await refreshed(totals, {action: 'FULL', reason: expect.stringMatching(/failed on the data/) as string});
  const state = await lake.lake.look((session) => readState(session, table));
  expect(state?.fingerprint?.groups).toBeNull();
  await lake.run(`INSERT INTO t VALUES (2, 9)`);
  await refreshed(totals, {action: 'INCREMENTAL', published: {summary: {recomputed: 'keys'}}});
  await lake.run(`INSERT INTO t VALUES (3, 9)`);
  await refreshed(totals, {action: 'INCREMENTAL', published: {summary: {recomputed: 'keys'}}});
});

test('a change is merged once, whoever tries it how often', async () => {
  await using lake = await withOrders();
  const totals = await aDynamicTable(lake, 'totals', query);
  await totals.refresh();
  await lake.run(`INSERT INTO orders VALUES (2000, 'r1', 5), (2001, 'new', 1)`);
  const [one, other, zombie] = [
    await prepared(lake, totals),
    await prepared(lake, totals),
    await prepared(lake, totals),
  ];
  const kinds = (await Promise.all([one(), other(), one()])).map(({kind}) => kind);
  expect(kinds).toContain('published');
  expect(kinds).not.toContain('full-instead');
  expect(await totals.differences()).toEqual([]);
  await lake.run(`DELETE FROM orders WHERE id IN (2000, 5)`);
  await refreshed(totals, {action: 'INCREMENTAL'});
  expect(await zombie()).toEqual({kind: 'lost'});
  expect(await totals.differences()).toEqual([]);
  const [kept] = await lake.rows(`SELECT count(*), sum(rows_1) FROM ${hidden}`);
  expect(kept).toEqual((await lake.rows('SELECT count(DISTINCT region), count(*) FROM orders'))[0]);
});

test('its files are tidied with those of the table', {timeout: 120_000}, async () => {
  await using lake = await withOrders();
  const totals = await aDynamicTable(lake, 'totals', query);
  await totals.refresh();
  for (let i = 0; i < 8; i++) {
    await lake.run(`INSERT INTO orders VALUES (${3000 + i}, 'r${i}', ${i})`);
    await refreshed(totals, merged(1));
  }
  const files = async () => await lake.lake.look((session) => filesOf(session, groupsTable(table)));
  const before = await files();
  expect(before.data).toBeGreaterThan(5);
  expect(await maintainTable({lake: lake.lake}, {table: 'main.totals'})).toMatchObject({damage: null});
  expect((await files()).data).toBeLessThan(before.data);
  expect((await files()).deletes).toBe(0);
  await lake.run(`DELETE FROM orders WHERE id > 3000`);
  await refreshed(totals, {action: 'INCREMENTAL'});
});

test('it is no dynamic table of its own, and goes with its own', async () => {
  await using lake = await withOrders();
  const totals = await aDynamicTable(lake, 'totals', query);
  await totals.refresh();
  await lake.lake.look(async (session) => {
    expect((await allStates(session)).map((state) => state.table)).toEqual([table]);
    await session.transaction(() => dropState(session, table));
  });
  expect(await hiddenTables(lake)).toEqual([]);
});

async function hiddenTables(lake: TestLake): Promise<unknown[][]> {
  return await lake.rows(
    `SELECT table_name FROM duckdb_tables() WHERE schema_name = 'freshet_state' AND suffix(table_name, '-groups')`,
  );
}

/** A refresh up to its publication, which can then be done any number of times. */
async function prepared({lake}: TestLake, totals: TestTable): Promise<() => Promise<Published>> {
  const apply = await totals.apply();
  const refreshId = randomUUID();
  const lookUp = await lookUpSnapshots({lake}, {apply});
  if (lookUp.kind !== 'refresh') throw new Error(lookUp.kind);
  const extraction = await extractChanges({lake}, {apply, refreshId, lookUp});
  const decision = await checkCardinality({lookUp, extraction});
  return () => publishRefresh({lake}, {apply, refreshId, lookUp, extraction, decision});
}
