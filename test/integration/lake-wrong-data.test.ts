import {randomUUID} from 'node:crypto';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {assert} from '../../src/assert.ts';
import {checkCardinality} from '../../src/activities/check-cardinality.ts';
import {extractChanges} from '../../src/activities/extract-changes.ts';
import {lookUpSnapshots} from '../../src/activities/look-up-snapshots.ts';
import {publishRefresh} from '../../src/activities/publish-refresh.ts';
import {aDynamicTable, type TestTable} from '../support/dynamic-table.ts';
import {aLake, type TestLake} from '../support/lake.ts';

/*
 * Each test shows rows that DuckLake 1.5.5 gives wrong without an error, and then what a whole refresh makes of it: the rows that the
 * source has, or the rows that DuckLake shows and a reason that names what is amiss. One that fails after an upgrade may tell that
 * a bug is gone. More of them are in `lake-feed.test.ts`, `refresh-hazards.test.ts` and `lake-lost-commit.test.ts`.
 */

let lake: TestLake & AsyncDisposable;
beforeAll(async () => {
  lake = await aLake();
  // Else the catalog's numbers are counted, not the rows that a scan shows.
  await lake.run(`SET disabled_optimizers = 'statistics_propagation'`);
});
afterAll(() => lake[Symbol.asyncDispose]());

/** A source of a hundred rows, numbers that it is joined with, and the join: it reads the feed and both ends of the range. */
async function aSource(name: string, inlinedRows: number): Promise<TestTable> {
  await lake.run(`CREATE TABLE ${name} AS SELECT range::INTEGER AS k, range::INTEGER * 10 AS v FROM range(100)`);
  await setOption(name, 'data_inlining_row_limit', inlinedRows);
  await lake.run(`CREATE TABLE ${name}_numbers AS SELECT range::INTEGER AS k FROM range(50)`);
  const query = `SELECT n.k, t.v FROM ${name}_numbers AS n JOIN ${name} AS t ON n.k = t.k`;
  const joined = await aDynamicTable(lake, `${name}_joined`, query);
  await joined.refresh();
  return joined;
}

async function setOption(table: string, option: string, value: number | boolean): Promise<void> {
  await lake.run(`CALL lake.set_option('${option}', ${value}, schema => 'main', table_name => '${table}')`);
}

/** A real count, now or at a snapshot. */
async function count(table: string, snapshot?: number): Promise<unknown> {
  const at = snapshot === undefined ? '' : ` AT (VERSION => ${snapshot})`;
  return (await lake.rows(`SELECT count(*) FROM ${table}${at}`))[0]?.[0];
}

test('a rewrite after inlined deletes shows rows that stayed as inserted: left out of the feed, the rows are right', async () => {
  const joined = await aSource('b3', 10);
  const from = await lake.snapshot();
  await lake.run('DELETE FROM b3 WHERE k < 5');
  await lake.run(`CALL ducklake_rewrite_data_files('lake', 'b3', delete_threshold => 0)`);
  const to = await lake.snapshot();
  const feed = (kind: string) =>
    lake.rows(`SELECT count(*) FROM ducklake_table_${kind}('lake', 'main', 'b3', ${from + 1}, ${to})`);
  expect([await feed('insertions'), await feed('deletions')]).toEqual([[[95]], [[5]]]);
  expect(await joined.refresh()).toMatchObject({action: 'INCREMENTAL'});
  expect(await joined.differences()).toEqual([]);
});

/** In files, a row that is inserted and updated in one transaction gets the row id that all such rows get. */
async function writeWithLeakedRowId(table: string, k: number, v: number): Promise<void> {
  await lake.run('BEGIN');
  await lake.run(`INSERT INTO ${table} VALUES (${k}, -1)`);
  await lake.run(`UPDATE ${table} SET v = ${v} WHERE k = ${k} AND v = -1`);
  await lake.run('COMMIT');
}

const leaked = '1000000000000000000';

test('rows of a source that have one row id are told apart by what they hold', async () => {
  const joined = await aSource('b7', 0);
  for (const k of [10, 20]) await writeWithLeakedRowId('b7', k, 2);
  expect(await lake.rows('SELECT rowid::VARCHAR FROM b7 WHERE v = 2')).toEqual([[leaked], [leaked]]);
  expect(await joined.refresh()).toMatchObject({action: 'INCREMENTAL'});
  expect(await joined.differences()).toEqual([]);
  await lake.run('DELETE FROM b7 WHERE k = 10 AND v = 2');
  expect(await joined.refresh()).toMatchObject({action: 'INCREMENTAL'});
  expect(await joined.differences()).toEqual([]);
});

test('rows of a dynamic table with readers that somebody has written, with one row id, are replaced all the same', async () => {
  const joined = await aSource('b7_written', 0);
  await setOption('b7_written_joined', 'data_inlining_row_limit', 0);
  await lake.run('DELETE FROM b7_written_joined WHERE k = 3');
  await writeWithLeakedRowId('b7_written_joined', 3, 30);
  await writeWithLeakedRowId('b7_written_joined', 500, 1);
  expect(await lake.rows('SELECT rowid::VARCHAR FROM b7_written_joined WHERE k IN (3, 500)')).toEqual([
    [leaked],
    [leaked],
  ]);
  await lake.run('INSERT INTO b7_written VALUES (5, 5)');
  expect(await joined.refresh({hasReaders: true})).toMatchObject({action: 'FULL'});
  expect(await joined.differences()).toEqual([]);
  await lake.run('DELETE FROM b7_written WHERE k = 3');
  expect(await joined.refresh({hasReaders: true})).toMatchObject({action: 'INCREMENTAL'});
  expect(await joined.differences()).toEqual([]);
});

test('deletion vectors forget the deletes of earlier snapshots: the feed does not add up, and the rows are recomputed', async () => {
  const joined = await aSource('b8', 0);
  await setOption('b8', 'write_deletion_vectors', true);
  await lake.run('DELETE FROM b8 WHERE k < 5');
  const first = await lake.snapshot();
  await joined.refresh();
  await lake.run('DELETE FROM b8 WHERE k >= 80');
  expect(await count('b8', first)).toBe(100);
  expect(await joined.refresh()).toMatchObject({
    action: 'FULL',
    reason: expect.stringContaining('the change feed of main.b8 does not add up') as string,
  });
  expect(await joined.differences()).toEqual([]);
});

test('rows of the past that a flush doubles after a rewrite are not joined', async () => {
  const joined = await aSource('b9', 10);
  const flush = `CALL ducklake_flush_inlined_data('lake', schema_name => 'main', table_name => 'b9')`;
  await lake.run('DELETE FROM b9 WHERE k IN (1, 2)');
  await lake.run(flush);
  await lake.run('DELETE FROM b9 WHERE k IN (3, 4)');
  const consumed = await lake.snapshot();
  await joined.refresh();
  expect(await count('b9', consumed)).toBe(96);
  await lake.run(`CALL ducklake_rewrite_data_files('lake', 'b9', delete_threshold => 0)`);
  await lake.run(flush);
  expect(await count('b9', consumed)).toBe(196);

  await lake.run('DELETE FROM b9 WHERE k = 5');
  await lake.run('INSERT INTO b9_numbers VALUES (60), (61)');
  expect(await joined.refresh()).toMatchObject({
    action: 'FULL',
    reason: `the past of main.b9 is not what it was: 96 rows were read at snapshot ${consumed}, 196 are there now`,
  });
  expect(await joined.differences()).toEqual([]);
  await lake.run('INSERT INTO b9_numbers VALUES (62)');
  expect(await joined.refresh()).toMatchObject({action: 'INCREMENTAL'});
  expect(await joined.differences()).toEqual([]);
});

test('a version that lies before a rewrite is not read: the refresh is to choose a newer one', async () => {
  const joined = await aSource('rewritten', 10);
  await lake.run('DELETE FROM rewritten WHERE k IN (1, 2)');
  const apply = await joined.apply();
  await lake.run(`CALL ducklake_rewrite_data_files('lake', 'rewritten', delete_threshold => 0)`);
  const found = await lookUpSnapshots({lake: lake.lake}, {apply});
  expect(found).toEqual({kind: 'ahead', dataVersion: await lake.snapshot()});
});

test('a full refresh of a version that is rewritten and doubled before it is published looks up again', async () => {
  const joined = await aSource('late', 10);
  await lake.run('DELETE FROM late WHERE k IN (1, 2)');
  await lake.run(`CALL ducklake_flush_inlined_data('lake', schema_name => 'main', table_name => 'late')`);
  await lake.run('DELETE FROM late WHERE k IN (3, 4)');
  const apply = {...(await joined.apply()), full: true};
  const refreshId = randomUUID();
  const lookUp = await lookUpSnapshots(lake, {apply});
  assert(lookUp.kind === 'refresh', 'it was asked for');
  const extraction = await extractChanges(lake, {apply, refreshId, lookUp});
  const decision = await checkCardinality({lookUp, extraction});
  await lake.run(`CALL ducklake_rewrite_data_files('lake', 'late', delete_threshold => 0)`);
  await lake.run(`CALL ducklake_flush_inlined_data('lake', schema_name => 'main', table_name => 'late')`);
  expect(await count('late', lookUp.dataVersion)).toBe(196);

  expect(await publishRefresh(lake, {apply, refreshId, lookUp, extraction, decision})).toEqual({kind: 'lost'});
  expect(await lookUpSnapshots(lake, {apply})).toEqual({kind: 'ahead', dataVersion: await lake.snapshot()});
});

test('rows that come back where a tombstone is in the catalog and one in a file are what the lake has now, and it is said', async () => {
  const joined = await aSource('b10', 10);
  const late = await lake.outsider();
  await late.run('BEGIN');
  await late.run('DELETE FROM b10 WHERE k BETWEEN 20 AND 40');
  await lake.run('DELETE FROM b10 WHERE k BETWEEN 25 AND 28');
  await late.run('COMMIT');
  const shown = await count('b10');
  expect(shown).toBeGreaterThan(79);
  expect(await joined.refresh()).toMatchObject({
    action: 'FULL',
    reason: expect.stringContaining('the change feed of main.b10 does not add up') as string,
  });
  expect(await joined.differences()).toEqual([]);
});

test('rows that come back because a flush committed beside others are what the lake has now, and it is said', async () => {
  const joined = await aSource('b12', 10);
  await lake.run('DELETE FROM b12 WHERE k < 5');
  await joined.refresh();
  const late = await lake.outsider();
  await late.run('BEGIN');
  await late.run(`CALL ducklake_flush_inlined_data('lake', schema_name => 'main', table_name => 'b12')`);
  await lake.run('INSERT INTO b12_numbers VALUES (60)');
  await late.run('COMMIT');
  expect(await count('b12')).toBe(99);
  expect(await joined.refresh()).toMatchObject({
    action: 'FULL',
    reason: 'the change feed of main.b12 does not add up: 95 rows expected, 99 found',
  });
  expect(await joined.differences()).toEqual([]);
});
