import {expect, test} from 'vitest';
import {defaultSettings} from '../../src/definition/definition.ts';
import {missingSnapshot, snapshotTime, tableHistory} from '../../src/lake/catalog.ts';
import {countAt, feedParts, shadowedColumn} from '../../src/lake/feed.ts';
import {raw} from '../../src/sql.ts';
import {changeByTimeTravel, changeOf, standing} from '../support/change.ts';
import {aLake, type TestLake} from '../support/lake.ts';

/*
 * Each test first shows the wrong answer that DuckLake 1.5.5 gives, then ours. One that fails after an upgrade may tell that a
 * bug is gone.
 */

const table = {schema: 'main', name: 't'};

test('a change is what came and what went, netted by identity', async () => {
  await using lake = await aLake();
  await lake.run(`CREATE TABLE t (k INTEGER, f DOUBLE)`);
  await lake.run(`INSERT INTO t VALUES (1, 0.0), (2, 1.5), (NULL, NULL), (NULL, NULL)`);
  const from = await lake.snapshot();
  await lake.run(`UPDATE t SET f = '-0.0'::DOUBLE WHERE k = 1`);
  await lake.run(`DELETE FROM t WHERE k IS NULL`);
  await lake.run(`INSERT INTO t VALUES (NULL, NULL), (3, 1), (3, 1)`);
  await lake.run(`DELETE FROM t WHERE k = 2`);
  await lake.run(`INSERT INTO t VALUES (2, 1.5)`);
  const to = await lake.snapshot();

  const change = await inRefresh(lake, (session) => changeOf(session, table, {from, to}));
  expect(change).toEqual([
    ['1', '-0.0', 1],
    ['1', '0.0', -1],
    ['3', '1.0', 2],
    [null, null, -1],
  ]);
  const counted = await inRefresh(lake, (session) => changeOf(session, table, {from, to, columns: []}));
  expect(counted).toEqual([[1]]);
});

test('a rewrite in the range is left out of the feed', async () => {
  await using lake = await aLake();
  await withoutInlining(lake);
  await lake.run(`CREATE TABLE t AS SELECT range::INTEGER AS k FROM range(20)`);
  const from = await lake.snapshot();
  await lake.run(`DELETE FROM t WHERE k < 5`);
  await lake.run(`CALL ducklake_rewrite_data_files('lake', 't', delete_threshold => 0)`);
  await lake.run(`INSERT INTO t VALUES (100)`);
  const to = await lake.snapshot();

  // Read in one go, the 15 rows that stayed are said to have come and gone once more.
  expect(
    await lake.rows(`SELECT count(*) FROM ducklake_table_insertions('lake', 'main', 't', ${from + 1}, ${to})`),
  ).toEqual([[16]]);
  await inRefresh(lake, async (session) => {
    const {tableId} = await standing(session, table, to);
    const history = await tableHistory(session, tableId, from, to);
    expect(feedParts(history, from, to)).toEqual([
      {first: from + 1, last: from + 1, inserts: false, deletes: true},
      {first: from + 3, last: to, inserts: true, deletes: false},
    ]);
    const change = await changeOf(session, table, {from, to});
    expect(change).toEqual([['0', -1], ['1', -1], ['100', 1], ...['2', '3', '4'].map((k) => [k, -1])]);
  });
});

test('a column is followed by its field, under the name it had in each part of the range', async () => {
  await using lake = await aLake();
  await withoutInlining(lake);
  await lake.run(`CREATE TABLE t AS SELECT range::INTEGER AS a, (range * 10)::INTEGER AS b FROM range(5)`);
  const from = await lake.snapshot();
  await lake.run(`ALTER TABLE t RENAME COLUMN a TO x`);
  await lake.run(`ALTER TABLE t RENAME COLUMN b TO a`);
  await lake.run(`DELETE FROM t WHERE x = 4`);
  await lake.run(`CALL ducklake_rewrite_data_files('lake', 't', delete_threshold => 0)`);
  await lake.run(`ALTER TABLE t RENAME COLUMN a TO b`);
  await lake.run(`ALTER TABLE t RENAME COLUMN x TO a`);
  await lake.run(`ALTER TABLE t RENAME TO u`);
  await lake.run(`INSERT INTO u VALUES (7, 70)`);
  const to = await lake.snapshot();

  const change = await inRefresh(lake, (session) => changeOf(session, {schema: 'main', name: 'u'}, {from, to}));
  expect(change).toEqual([
    ['4', '40', -1],
    ['7', '70', 1],
  ]);
});

test('snapshots expired in the range are named, at its start and in its middle', async () => {
  await using lake = await aLake();
  await withoutInlining(lake);
  await lake.run(`CREATE TABLE t AS SELECT 1 AS k, 1 AS v`);
  const from = await lake.snapshot();
  await lake.run(`UPDATE t SET v = 2`);
  await lake.run(`CREATE TABLE other (k INTEGER)`);
  const to = await lake.snapshot();
  await inRefresh(lake, async (session) => expect(await missingSnapshot(session, from, to)).toBeNull());
  await lake.run(`CALL ducklake_expire_snapshots('lake', versions => [${from + 1}])`);

  await inRefresh(lake, async (session) => {
    // The update is in no feed, and as many rows are there as before.
    expect(await changeOf(session, table, {from, to})).toEqual([]);
    expect([await countAt(session, table, from), await countAt(session, table, to)]).toEqual([1, 1]);
    expect(await missingSnapshot(session, from, to)).toBe(from + 1);
  });
  await lake.run(`CALL ducklake_expire_snapshots('lake', versions => [${from}])`);
  await inRefresh(lake, async (session) => {
    expect(await missingSnapshot(session, from, to)).toBe(from);
    expect(await snapshotTime(session, from)).toBeNull();
    expect(await snapshotTime(session, to)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });
});

test('a delete dated too early shows in the count, against the one that was stored', async () => {
  await using lake = await aLake();
  await withoutInlining(lake);
  await lake.run(`CREATE TABLE t AS SELECT range::INTEGER AS k FROM range(100)`);
  await lake.run(`DELETE FROM t WHERE k = 0`);
  const late = await lake.outsider();
  await late.run('BEGIN');
  await late.run(`DELETE FROM t WHERE k BETWEEN 1 AND 20`);
  await lake.run(`CREATE TABLE other (k INTEGER)`);
  const from = await lake.snapshot();
  const stored = await inRefresh(lake, (session) => countAt(session, table, from));
  await late.run('COMMIT');
  const to = await lake.snapshot();

  await inRefresh(lake, async (session) => {
    expect(await changeOf(session, table, {from, to})).toEqual([]);
    // What the past looks like has changed: counted today, both ends would agree.
    expect([await countAt(session, table, from), await countAt(session, table, to)]).toEqual([79, 79]);
    expect(stored).toBe(99);
  });
});

test.each([0, 100])("columns named as the feed's own are read right (inlined rows: %i)", async (limit) => {
  await using lake = await aLake();
  await lake.run(`CALL lake.set_option('data_inlining_row_limit', ${limit})`);
  await lake.run(`CREATE TABLE t (snapshot_id INTEGER, rowid VARCHAR)`);
  await lake.run(`INSERT INTO t VALUES (77, 'r'), (78, 's'), (79, 't')`);
  const from = await lake.snapshot();
  await lake.run(`DELETE FROM t WHERE snapshot_id = 77`);
  await lake.run(`UPDATE t SET rowid = 'changed' WHERE snapshot_id = 78`);
  const to = await lake.snapshot();

  // The feed's own pairing takes the user's values for snapshots and row ids.
  const pairs = await lake.rows(
    `SELECT change_type FROM ducklake_table_changes('lake', 'main', 't', ${from + 1}, ${to})`,
  );
  expect(pairs).not.toContainEqual(['update_postimage']);
  expect(await inRefresh(lake, (session) => changeOf(session, table, {from, to}))).toEqual([
    ['77', 'r', -1],
    ['78', 'changed', 1],
    ['78', 's', -1],
  ]);
  expect(shadowedColumn(['k', 'ROWID'])).toBe('ROWID');
  expect(shadowedColumn(['k'])).toBeNull();
});

test("a delete from a merged file stands under its row's insertion, which hurts nobody who does not ask", async () => {
  await using lake = await aLake();
  await withoutInlining(lake);
  await lake.run(`CREATE TABLE t (k INTEGER, v INTEGER)`);
  const from = await lake.snapshot();
  await lake.run(`INSERT INTO t VALUES (1, 1)`);
  await lake.run(`INSERT INTO t VALUES (2, 2)`);
  await lake.run(`CALL ducklake_merge_adjacent_files('lake', 't')`);
  await lake.run(`UPDATE t SET v = 5 WHERE k = 1`);
  const to = await lake.snapshot();

  const changes = `FROM ducklake_table_changes('lake', 'main', 't', ${from + 1}, ${to})`;
  expect(await lake.rows(`SELECT v FROM (SELECT * ${changes}) WHERE change_type = 'insert' ORDER BY v`)).toEqual([
    [2],
    [5],
  ]);
  const deletions = `FROM ducklake_table_deletions('lake', 'main', 't', ${to}, ${to})`;
  expect(await lake.rows(`SELECT v ${deletions} WHERE snapshot_id = ${to}`)).toEqual([]);
  await inRefresh(lake, async (session) => {
    expect(await changeOf(session, table, {from, to})).toEqual([
      ['1', '5', 1],
      ['2', '2', 1],
    ]);
    expect(await changeOf(session, table, {from: to - 1, to})).toEqual([
      ['1', '1', -1],
      ['1', '5', 1],
    ]);
  });
});

test('an older version keeps its rows under WHERE after a rewrite', async () => {
  await using lake = await aLake();
  await withoutInlining(lake);
  await lake.run(`CREATE TABLE t AS SELECT range::INTEGER AS k FROM range(100)`);
  const full = await lake.snapshot();
  await lake.run(`DELETE FROM t WHERE k >= 50`);
  await lake.run(`CALL ducklake_rewrite_data_files('lake', 't', delete_threshold => 0)`);

  const query = (name: string): string => `SELECT count(*) FROM ${name} AT (VERSION => ${full}) WHERE k >= 50`;
  expect(await lake.rows(query('lake.t'))).toEqual([[0]]);
  const ours = await inRefresh(lake, (session) =>
    session.rows<{count: number}>(raw(query('freshet_lake.t').replace('count(*)', 'count(*) AS count'))),
  );
  expect(ours).toEqual([{count: 50}]);
});

test.each([
  ['a tombstone in the catalog', 1000, ['DELETE FROM t WHERE k = 1']],
  ['a delete file', 0, ['DELETE FROM t WHERE k = 1']],
  ['an update', 0, ['UPDATE t SET k = -1 WHERE k = 1']],
  ['a merge', 0, ['MERGE INTO t USING (SELECT 1 AS k) AS s USING (k) WHEN MATCHED THEN DELETE']],
  ['a truncation', 0, ['TRUNCATE t']],
  ['rows that came and went in the catalog', 1000, ['INSERT INTO t VALUES (70)', 'DELETE FROM t WHERE k IN (1, 70)']],
  ['inlined rows flushed', 1000, ['DELETE FROM t WHERE k = 1', `CALL ducklake_flush_inlined_data('lake')`]],
])('deletions are read wherever there is one: %s', async (_, limit, statements) => {
  await using lake = await aLake();
  await lake.run(`CALL lake.set_option('data_inlining_row_limit', ${limit})`);
  await lake.run(`CREATE TABLE t AS SELECT range::INTEGER AS k FROM range(20)`);
  const from = await lake.snapshot();
  for (const statement of statements) await lake.run(statement);
  const to = await lake.snapshot();
  await lake.run(`CREATE TABLE other AS SELECT 1 AS k`);

  await inRefresh(lake, async (session) => {
    const {tableId} = await standing(session, table, to);
    const parts = feedParts(await tableHistory(session, tableId, from, to), from, to);
    expect(parts.some(({deletes}) => deletes)).toBe(true);
    const range = {from, to, columns: ['k']};
    const change = await changeOf(session, table, range);
    expect(change).toContainEqual(['1', -1]);
    expect(change).toEqual(await changeByTimeTravel(session, table, range));
  });
});

test('a change of a table of which no column is used is one number', async () => {
  await using lake = await aLake();
  await lake.run(`CREATE TABLE t AS SELECT 1 AS k FROM range(1000)`);
  const from = await lake.snapshot();
  await lake.run(`DELETE FROM t WHERE rowid < 300`);
  const to = await lake.snapshot();
  expect(await inRefresh(lake, (session) => changeOf(session, table, {from, to, columns: []}))).toEqual([[-300]]);
});

test('the lake itself forgets the sign of a zero where a column is stored as a dictionary', async () => {
  await using lake = await aLake();
  await withoutInlining(lake);
  await lake.run(`CREATE TABLE t AS SELECT if(range % 2 = 0, 0.0, '-0.0')::DOUBLE AS f FROM range(10000)`);
  expect(await lake.rows(`SELECT DISTINCT f::VARCHAR FROM t`)).toEqual([['0.0']]);
});

async function withoutInlining(lake: TestLake): Promise<void> {
  await lake.run(`CALL lake.set_option('data_inlining_row_limit', 0)`);
}

function inRefresh<T>(lake: TestLake, work: Parameters<typeof lake.lake.compute<T>>[1]): Promise<T> {
  return lake.lake.compute(defaultSettings, work);
}
