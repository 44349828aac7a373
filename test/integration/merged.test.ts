import {randomUUID} from 'node:crypto';
import {rm} from 'node:fs/promises';
import {expect, test} from 'vitest';
import {recordRefresh} from '../../src/activities/record-refresh.ts';
import {runAll} from '../../src/activities/publication-work.ts';
import {findTable} from '../../src/metadata/dynamic-table.ts';
import {maintainTable} from '../../src/activities/maintain.ts';
import {defaultSettings} from '../../src/definition/definition.ts';
import {readyGroups} from '../../src/lake/groups.ts';
import {openLake} from '../../src/lake/lake.ts';
import {filesOf} from '../../src/lake/maintenance.ts';
import {heldRows, type Statement} from '../../src/refresh/apply.ts';
import {raw, sql} from '../../src/sql.ts';
import {allStates, dropState, groupsTable, readState} from '../../src/lake/state.ts';
import {aDynamicTable, prepared, type TestTable} from '../support/dynamic-table.ts';
import {aLake, type TestLake} from '../support/lake.ts';
import {someDeps} from '../support/deps.ts';
import {aLossyProxy} from '../support/lossy-proxy.ts';

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

/** Its groups are kept: the next change is merged. */
async function aMergedTable(lake: TestLake): Promise<TestTable> {
  const totals = await aDynamicTable(lake, 'totals', query);
  await refreshed(totals, {action: 'INITIAL'});
  await keepGroups(lake, totals);
  return totals;
}

async function keepGroups(lake: TestLake, totals: TestTable): Promise<void> {
  for (const id of [-1, -2]) {
    await lake.run(`INSERT INTO orders VALUES (${id}, 'r0', 0)`);
    await refreshed(totals, {action: 'INCREMENTAL', published: {summary: {recomputed: 'keys'}}});
  }
}

const merged = (rowsScanned: number) => ({
  action: 'INCREMENTAL',
  published: {summary: {recomputed: 'none', rowsScanned}},
});

test('in a small table many keys are looked for by their range, and in what is read after it one by one again', async () => {
  await using lake = await aLake();
  const most = sql`CREATE OR REPLACE TEMP TABLE most AS SELECT current_setting('dynamic_or_filter_threshold') AS keys`;
  const reading = {...heldRows({table: raw('small'), outputs: [], rows: 10_000}, raw('WHERE true')), text: most};
  const mostKeys = (statements: readonly Statement[]) =>
    lake.lake.compute(defaultSettings, async (session) => {
      await runAll(session, statements);
      return await session.rows(sql`FROM most`);
    });
  expect(await mostKeys([reading])).toEqual([{keys: 10}]);
  expect(await mostKeys([reading, {label: 'next', text: most}])).toEqual([{keys: 1000}]);
});

test('a change is merged, and nothing but the change is read', async () => {
  await using lake = await withOrders();
  const totals = await aMergedTable(lake);
  expect(await lake.rows(`SELECT count(*) FROM ${hidden}`)).toEqual([[10]]);
  await lake.run(`INSERT INTO orders VALUES (2000, 'r1', 5), (2001, 'new', 1), (2002, NULL, 3)`);
  await refreshed(totals, merged(3));
  await lake.run(`DELETE FROM orders WHERE id IN (2001, 2002)`);
  await refreshed(totals, merged(2));
  // The greatest of r6 goes: of all groups only that one is read.
  await lake.run(`DELETE FROM orders WHERE region = 'r6' AND amount = 96`);
  const [rows] = await lake.rows(`SELECT count(*) FROM orders WHERE region = 'r6'`);
  const rowsScanned = Number(rows?.[0]) + 1;
  await refreshed(totals, {action: 'INCREMENTAL', published: {summary: {recomputed: 'keys', rowsScanned}}});
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

test('groups are kept by the second small change in a row, whatever is done about it, and no burst pays for them', async () => {
  await using lake = await withOrders();
  const totals = await aDynamicTable(lake, 'totals', query, {cardinalityThreshold: 0.3});
  const groups = async () => (await lake.lake.look((session) => readState(session, table)))?.fingerprint?.groups;
  await refreshed(totals, {action: 'INITIAL'});
  expect(await hiddenTables(lake)).toEqual([]);
  // By affected keys, which are few; then by recomputing, because they are many.
  await lake.run(`INSERT INTO orders VALUES (2000, 'r1', 5)`);
  await refreshed(totals, {action: 'INCREMENTAL', published: {summary: {recomputed: 'keys'}}});
  expect(await groups()).toBe('wanted');
  await lake.run(`UPDATE orders SET id = id + 1 WHERE id = 5`);
  await refreshed(totals, {action: 'NO_DATA'});
  expect(await groups()).toBe('wanted');
  await lake.run(`INSERT INTO orders SELECT 3000 + range, 'r' || range % 10, 5 FROM range(10)`);
  await refreshed(totals, {action: 'FULL', reason: expect.stringMatching(/^recomputing is cheaper/) as string});
  expect(await groups()).toMatchObject({rows: 10});
  await lake.run(`INSERT INTO orders SELECT 4000 + range, 'r' || range % 10, 5 FROM range(10)`);
  await refreshed(totals, merged(10));
  for (const burst of [5000, 7000, 12000]) {
    await lake.run(`INSERT INTO orders SELECT range, 'r' || range % 20, range FROM range(${burst}, ${burst} * 2)`);
    await refreshed(totals, {action: 'FULL'});
    expect(await groups()).toBeUndefined();
    await lake.run(`DELETE FROM orders WHERE id = ${burst + 1}`);
    await refreshed(totals, {action: 'INCREMENTAL', published: {summary: {recomputed: 'keys'}}});
    expect(await groups()).toBe('wanted');
  }
  // The first burst has left it; maintenance takes it away.
  expect(await lake.rows(`SELECT count(*) FROM ${hidden}`)).toEqual([[10]]);
  expect(await maintainTable({lake: lake.lake}, {table: 'main.totals'})).toMatchObject({damage: null});
  expect(await hiddenTables(lake)).toEqual([]);
  for (const summary of [{recomputed: 'keys'}, {recomputed: 'none', rowsScanned: 1}]) {
    await lake.run(`DELETE FROM orders WHERE id = (SELECT max(id) FROM orders WHERE amount < 50)`);
    await refreshed(totals, {action: 'INCREMENTAL', published: {summary}});
  }
});

test('a table that keeps groups by another reading of its query begins to keep them anew', async () => {
  await using lake = await withOrders();
  const totals = await aMergedTable(lake);
  const other = JSON.stringify({groups: {meaning: 'another'}, target: {asOf: await lake.snapshot()}});
  await lake.run(`UPDATE freshet_state."main.totals" SET fingerprint = json_merge_patch(fingerprint, '${other}')`);
  await lake.run(`INSERT INTO orders VALUES (2000, 'r1', 5)`);
  await refreshed(totals, {action: 'INCREMENTAL', published: {summary: {recomputed: 'keys'}}});
  await lake.run(`INSERT INTO orders VALUES (2001, 'r1', 5)`);
  await refreshed(totals, {action: 'INCREMENTAL', published: {summary: {recomputed: 'keys'}}});
  await lake.run(`INSERT INTO orders VALUES (2002, 'r1', 5)`);
  await refreshed(totals, merged(1));
});

test.each([
  ['taken away', `DROP TABLE ${hidden}`, /^the counts and sums that changes were merged into are gone/],
  ['written', `UPDATE ${hidden} SET rows_1 = rows_1 + 1`, /^somebody else wrote into the table/],
  ['emptied', `DELETE FROM ${hidden}`, /^somebody else wrote into the table/],
  [
    'altered',
    `ALTER TABLE ${hidden} DROP COLUMN sum_3; ALTER TABLE ${hidden} ADD COLUMN sum_3 DECIMAL(38,0) DEFAULT 1000`,
    /^the counts and sums that changes were merged into are gone/,
  ],
  [
    'renamed',
    `ALTER TABLE ${hidden} RENAME COLUMN sum_3 TO other`,
    /^the counts and sums that changes were merged into are gone/,
  ],
])('what is kept that somebody else has %s is made anew', async (_, statement, reason) => {
  await using lake = await withOrders();
  const totals = await aMergedTable(lake);
  await lake.run(statement);
  await lake.run(`INSERT INTO orders VALUES (2000, 'r1', 5)`);
  await refreshed(totals, {action: 'FULL', reason: expect.stringMatching(reason) as string});
  await keepGroups(lake, totals);
  await lake.run(`DELETE FROM orders WHERE id = 2000`);
  await refreshed(totals, merged(1));
});

test('after a FULL and a REINITIALIZE groups are kept anew, and merged into again', async () => {
  await using lake = await withOrders();
  const totals = await aMergedTable(lake);
  await lake.run(`INSERT INTO orders SELECT range, 'r' || range % 30, range FROM range(4000, 8000)`);
  expect(await totals.refresh({full: true, hasReaders: true})).toMatchObject({action: 'FULL'});
  expect(await totals.differences()).toEqual([]);
  await keepGroups(lake, totals);
  await lake.run(`DELETE FROM orders WHERE id BETWEEN 4000 AND 4100`);
  await refreshed(totals, merged(101));
  await lake.run('CREATE OR REPLACE TABLE orders AS SELECT * REPLACE (amount + 1 AS amount) FROM orders');
  await refreshed(totals, {action: 'REINITIALIZE'});
  await keepGroups(lake, totals);
  await lake.run(`DELETE FROM orders WHERE id BETWEEN 5000 AND 5100`);
  await refreshed(totals, merged(101));
});

test('a net change of nothing carries what is kept on', async () => {
  await using lake = await withOrders();
  const totals = await aMergedTable(lake);
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
  for (const k of [4, 5]) {
    await lake.run(`INSERT INTO t VALUES (${k}, 1)`);
    await refreshed(totals, {action: 'INCREMENTAL', published: {summary: {recomputed: 'keys'}}});
  }
  await lake.run(`INSERT INTO t VALUES (6, 1)`);
  await refreshed(totals, merged(1));
  await lake.run(`INSERT INTO t VALUES (1, ${big})`);
  await refreshed(totals, {action: 'FULL', reason: expect.stringMatching(/failed on the data/) as string});
  for (const k of [7, 8]) {
    await lake.run(`INSERT INTO t VALUES (${k}, 1)`);
    await refreshed(totals, {action: 'INCREMENTAL', published: {summary: {recomputed: 'keys'}}});
  }
  const state = await lake.lake.look((session) => readState(session, table));
  expect(state?.fingerprint?.groups).toBeNull();
  await lake.run(`INSERT INTO t VALUES (2, 9)`);
  await refreshed(totals, {action: 'INCREMENTAL', published: {summary: {recomputed: 'keys'}}});
  await lake.run(`INSERT INTO t VALUES (3, 9)`);
  await refreshed(totals, {action: 'INCREMENTAL', published: {summary: {recomputed: 'keys'}}});
});

test('a change is merged once, whoever tries it how often', async () => {
  await using lake = await withOrders();
  const totals = await aMergedTable(lake);
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
  const totals = await aMergedTable(lake);
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

test(
  'files of it that are gone are noticed by who merges into them, and by maintenance',
  {timeout: 120_000},
  async () => {
    await using lake = await withOrders();
    const totals = await aMergedTable(lake);
    await removeFiles(lake);
    await lake.run(`INSERT INTO orders VALUES (2000, 'r1', 5)`);
    const gone = /^the counts and sums that changes were merged into are gone/;
    await refreshed(totals, {action: 'FULL', reason: expect.stringMatching(gone) as string});
    await keepGroups(lake, totals);
    await lake.run(`INSERT INTO orders VALUES (2001, 'r1', 5)`);
    await refreshed(totals, merged(1));
    for (const [expected, damage] of [
      [10, () => removeFiles(lake)],
      [11, () => lake.run(`DROP TABLE ${hidden}`)],
    ] as const) {
      await damage();
      const maintained = await maintainTable({lake: lake.lake}, {table: 'main.totals'});
      expect(maintained).toMatchObject({damage: {expected, found: 0}});
      expect(await totals.refresh({full: true})).toMatchObject({action: 'FULL'});
      expect(await maintainTable({lake: lake.lake}, {table: 'main.totals'})).toMatchObject({damage: null});
      await keepGroups(lake, totals);
      await lake.run(`INSERT INTO orders VALUES (2002, 'new', 5)`);
      await refreshed(totals, merged(1));
    }
  },
);

test('a COMMIT whose answer is lost, and the files of both tables with it, is made good by who published', async () => {
  await using lake = await withOrders();
  const totals = await aMergedTable(lake);
  await using proxy = await aLossyProxy(lake.options.catalog);
  const ours = openLake({...lake.options, catalog: proxy.url});
  await lake.run(`INSERT INTO orders VALUES (2000, 'r1', 5), (2001, 'new', 1)`);
  const publish = await prepared(lake, totals, ours);
  proxy.lose('answer');
  expect(await publish()).toMatchObject({kind: 'published', summary: {action: 'REINITIALIZE'}});
  expect(proxy.lost()).toBe(1);
  ours.close();
  expect(await totals.differences()).toEqual([]);
  await keepGroups(lake, totals);
  await lake.run(`INSERT INTO orders VALUES (2002, 'r1', 5)`);
  await refreshed(totals, merged(1));
});

test('what somebody else writes into it between the look and the publication is not carried on', async () => {
  await using lake = await withOrders();
  const totals = await aMergedTable(lake);
  for (const [change, statement] of [
    [`INSERT INTO orders VALUES (2000, 'r1', 5)`, `UPDATE ${hidden} SET rows_1 = rows_1 + 1`],
    [`UPDATE orders SET id = id + 1 WHERE id = 7`, `DELETE FROM ${hidden} WHERE key_1 = 'r2'`],
  ] as const) {
    await lake.run(change);
    const publish = await prepared(lake, totals);
    await lake.run(statement);
    expect(await publish()).toMatchObject({kind: 'full-instead', reason: {kind: 'target-written'}});
    await refreshed(totals, {action: 'FULL', reason: expect.stringMatching(/^somebody else wrote/) as string});
    await keepGroups(lake, totals);
  }
  await lake.run(`INSERT INTO orders VALUES (2001, 'r1', 5)`);
  await refreshed(totals, merged(1));
});

test('one who dies before it is filled leaves a table that the next refresh takes, and that goes with its own', async () => {
  await using lake = await withOrders();
  const totals = await aDynamicTable(lake, 'totals', query);
  await totals.refresh();
  await lake.run(`INSERT INTO orders VALUES (2000, 'r1', 5)`);
  await refreshed(totals, {action: 'INCREMENTAL'});
  await lake.run(`INSERT INTO orders VALUES (2001, 'r1', 5)`);
  await using proxy = await aLossyProxy(lake.options.catalog);
  const ours = openLake({...lake.options, catalog: proxy.url});
  const publish = await prepared(lake, totals, ours);
  await lake.lake.compute(defaultSettings, (session) =>
    readyGroups(session, table, [{name: 'other', storedType: 'INTEGER'}]),
  );
  expect(await hiddenTables(lake)).toHaveLength(1);
  proxy.lose('request');
  await expect(publish()).rejects.toThrow();
  ours.close();
  expect(await hiddenTables(lake)).toHaveLength(1);
  await refreshed(totals, {action: 'INCREMENTAL', published: {summary: {recomputed: 'keys'}}});
  await lake.run(`INSERT INTO orders VALUES (2002, 'r1', 5)`);
  await refreshed(totals, merged(1));

  const copy = {schema: 'main', name: 'copy'};
  const other = await aDynamicTable(lake, 'copy', query);
  await other.refresh();
  await lake.lake.compute(defaultSettings, (session) =>
    readyGroups(session, copy, [{name: 'k', storedType: 'INTEGER'}]),
  );
  expect(await hiddenTables(lake)).toHaveLength(2);
  await lake.lake.look((session) => session.transaction(() => dropState(session, copy)));
  expect(await hiddenTables(lake)).toHaveLength(1);
});

test('the metadata name it and know its size, while it is of use', async () => {
  await using made = await someDeps();
  const {metadata} = made.deps;
  await made.run(
    `CREATE TABLE orders AS SELECT range AS id, 'r' || range % 10 AS region, range AS amount FROM range(1000)`,
  );
  await made.create(
    `CREATE DYNAMIC TABLE totals TARGET_LAG = '1 minute' AS SELECT region, avg(amount) AS mean FROM orders GROUP BY region`,
  );
  const put = async () => {
    const publication = await made.publish('main.totals');
    const now = new Date().toISOString();
    const summary = {
      ...({action: 'INCREMENTAL', reason: null, sources: [], changedRows: 1, affectedKeys: 0, ratio: null} as const),
      ...({rowsDeleted: 1, rowsInserted: 1, recomputed: 'keys', rowsScanned: 1, rows: 10, phases: {}} as const),
    };
    await recordRefresh(made.deps, {
      ...({table: 'main.totals', trigger: 'manual', refreshId: randomUUID(), publication, summary} as const),
      ...{statements: [], freshAt: now, startedAt: now, run: {workflowId: 'run', runId: 'run-1'}},
    });
    return (await findTable(metadata, 'main.totals'))?.keptGroups;
  };
  expect(await put()).toBeNull();
  await made.run(`INSERT INTO orders VALUES (1000, 'r1', 1)`);
  expect(await put()).toBeNull();
  await made.run(`INSERT INTO orders VALUES (1001, 'r1', 1)`);
  const kept = await put();
  expect(kept).toEqual({table: hidden, rows: 10, bytes: expect.any(Number) as number});
  expect(kept?.bytes).toBeGreaterThan(100);
  await made.run(`INSERT INTO orders SELECT id, region, amount + 1 FROM orders`);
  expect(await put()).toBeNull();
});

test('it is no dynamic table of its own, and goes with its own', async () => {
  await using lake = await withOrders();
  await aMergedTable(lake);
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

/** As somebody might who tidies up the data folder. */
async function removeFiles(lake: TestLake): Promise<void> {
  const files = await lake.rows(
    `SELECT data_file FROM ducklake_list_files('lake', 'main.totals-groups', schema => 'freshet_state')`,
  );
  expect(files.length).toBeGreaterThan(0);
  for (const [file] of files) await rm(file as string);
}
