import {expect, test} from 'vitest';
import {defaultSettings} from '../../src/definition/definition.ts';
import {
  allNamesAt,
  currentSnapshot,
  lastWrite,
  macrosAt,
  tableAt,
  tableHistory,
  viewAt,
} from '../../src/lake/catalog.ts';
import {changesOf} from '../../src/lake/changes-made.ts';
import {compareFingerprints, readFingerprint, type Fingerprint, type Reached} from '../../src/lake/fingerprint.ts';
import {changeOf, standing} from '../support/change.ts';
import {aLake, type TestLake} from '../support/lake.ts';

const table = {schema: 'main', name: 't'};

test('columns have the types that DuckDB gives them', async () => {
  await using lake = await aLake();
  const types = [
    ...[
      'BOOLEAN',
      'TINYINT',
      'SMALLINT',
      'INTEGER',
      'BIGINT',
      'UTINYINT',
      'USMALLINT',
      'UINTEGER',
      'UBIGINT',
      'HUGEINT',
    ],
    ...[
      'UHUGEINT',
      'FLOAT',
      'DOUBLE',
      'DECIMAL(18,3)',
      'TIME',
      'TIMETZ',
      'DATE',
      'TIMESTAMP',
      'TIMESTAMP_S',
      'TIMESTAMP_MS',
    ],
    ...[
      'TIMESTAMP_NS',
      'TIMESTAMPTZ',
      'INTERVAL',
      'VARCHAR',
      'BLOB',
      'UUID',
      'JSON',
      'INTEGER[][]',
      'MAP(VARCHAR, INTEGER[])',
    ],
    'STRUCT(a INTEGER, "B c" STRUCT(x DECIMAL(4,1)[], "select" DATE))',
  ];
  await lake.run(`CREATE TABLE t (${types.map((type, i) => `c${i} ${type}`).join(', ')})`);
  const described = await lake.rows(`SELECT column_name, column_type FROM (DESCRIBE t)`);
  const found = await lake.lake.look(
    async (session) => await standing(session, table, (await currentSnapshot(session)).id),
  );
  expect(found.columns.map(({name, type}) => [name, type])).toEqual(described);
});

test('a name is found whatever its case, as it stood at a snapshot', async () => {
  await using lake = await aLake();
  await lake.run(`CREATE SCHEMA "My Sales"`);
  await lake.run(`CREATE TABLE "My Sales"."Orders" (k INTEGER)`);
  const before = await lake.snapshot();
  await lake.run(`ALTER TABLE "My Sales"."Orders" ADD COLUMN "V" INTEGER`);
  await lake.run(`CREATE VIEW v (n) AS SELECT k FROM lake."My Sales"."Orders"`);
  const after = await lake.snapshot();
  await lake.run(`DROP TABLE "My Sales"."Orders"`);

  await lake.lake.look(async (session) => {
    const name = {schema: 'my sales', name: 'ORDERS'};
    const old = await standing(session, name, before);
    expect(old).toMatchObject({
      table: {schema: 'My Sales', name: 'Orders'},
      columns: [{name: 'k', fieldId: 1, type: 'INTEGER'}],
    });
    expect((await standing(session, name, after)).columns.map((column) => column.name)).toEqual(['k', 'V']);
    expect(await tableAt(session, name, after + 1)).toBeNull();
    expect(await viewAt(session, {schema: 'main', name: 'V'}, before)).toBeNull();
    expect(await viewAt(session, {schema: 'main', name: 'V'}, after)).toEqual({
      view: {schema: 'main', name: 'v'},
      sql: 'SELECT k FROM "lake"."My Sales".Orders',
      columnAliases: ['n'],
    });
    expect(await allNamesAt(session, after)).toEqual([
      {table: {schema: 'My Sales', name: 'Orders'}, kind: 'table'},
      {table: {schema: 'main', name: 'v'}, kind: 'view'},
    ]);
  });

  // To DuckDB they are two, and to PostgreSQL, by most of its collations, one.
  await lake.run(`CREATE TABLE "É" (upper_case INTEGER)`);
  await lake.run(`CREATE TABLE "é" (lower_case INTEGER)`);
  const two = await lake.snapshot();
  await lake.lake.look(async (session) => {
    const {columns} = await standing(session, {schema: 'main', name: 'é'}, two);
    expect(columns.map((column) => column.name)).toEqual(['lower_case']);
  });
});

test('macros come with parameters and defaults', async () => {
  await using lake = await aLake();
  await lake.run(`CREATE MACRO plus(a, b := 3) AS a + b`);
  await lake.run(`CREATE MACRO pick(n) AS TABLE SELECT n AS n`);
  const macros = await lake.lake.look(async (session) => await macrosAt(session, (await currentSnapshot(session)).id));
  expect(macros).toMatchObject([
    {
      macro: {schema: 'main', name: 'plus'},
      implementations: [
        {
          kind: 'scalar',
          sql: '(a + b)',
          parameters: [
            {name: 'a', defaultValue: null},
            {name: 'b', defaultValue: "CAST('3' AS INTEGER)"},
          ],
        },
      ],
    },
    {macro: {schema: 'main', name: 'pick'}, implementations: [{kind: 'table', sql: 'SELECT n AS n'}]},
  ]);
});

test('compaction is no write, and names in the log of changes are not taken for ids', async () => {
  await using lake = await aLake();
  await lake.run(`CALL lake.set_option('data_inlining_row_limit', 0)`);
  await lake.run(`CREATE TABLE t AS SELECT range AS k FROM range(10)`);
  await lake.run(`INSERT INTO t VALUES (1)`);
  await lake.run(`DELETE FROM t WHERE k > 7`);
  const written = await lake.snapshot();
  await lake.run(`CALL ducklake_rewrite_data_files('lake', 't', delete_threshold => 0)`);
  await lake.run(`CALL ducklake_merge_adjacent_files('lake', 't')`);
  await lake.run(`COMMENT ON TABLE t IS 'altered'`);
  const to = await lake.snapshot();
  await lake.lake.look(async (session) => {
    const {tableId} = await standing(session, table, to);
    expect(await lastWrite(session, tableId)).toBe(written);
    expect(await lastWrite(session, tableId, written)).toBeNull();
    const kinds = (await tableHistory(session, tableId, written, to)).map(({rewritten, compacted, altered}) => ({
      rewritten,
      compacted,
      altered,
    }));
    expect(kinds).toEqual([
      {rewritten: true, compacted: false, altered: false},
      {rewritten: false, compacted: true, altered: false},
      {rewritten: false, compacted: false, altered: true},
    ]);
  });
  expect(changesOf(7, 1, `created_table:"main"."x,deleted_from_table:7"`)).toBeNull();
  expect(changesOf(7, 1, `inserted_into_table:77,deleted_from_table:7`)).toMatchObject({inserts: false, deletes: true});
});

test('a table put in the place of another is another: its feed does not say that the old rows went', async () => {
  await using lake = await aLake();
  await lake.run(`CREATE TABLE t AS SELECT 1 AS a, 2 AS b`);
  const {before, from} = await look(lake, ['a']);
  await lake.run(`CREATE OR REPLACE TABLE t AS SELECT 5 AS a, 6 AS b`);
  const {now, to} = await look(lake, ['a']);
  const feed = await lake.rows(`SELECT a FROM ducklake_table_deletions('lake', 'main', 't', ${from + 1}, ${to})`);
  expect(feed).toEqual([]);
  expect(compareFingerprints(before, now)).toEqual({kind: 'source-replaced', source: 'main.t'});
});

test('a column dropped and added again, two names swapped and a new type change every row without a feed', async () => {
  await using lake = await aLake();
  await lake.run(`CREATE TABLE t AS SELECT 1 AS a, 2 AS b, 3 AS c`);
  const {before, from} = await look(lake, ['a', 'b']);
  for (const statement of ['DROP COLUMN a', 'ADD COLUMN a INTEGER DEFAULT 9'])
    await lake.run(`ALTER TABLE t ${statement}`);
  const added = await look(lake, ['a', 'b']);
  expect(await lake.rows(`SELECT a, b FROM t`)).toEqual([[9, 2]]);
  expect(await lake.lake.compute(defaultSettings, (session) => changeOf(session, table, {from, to: added.to}))).toEqual(
    [],
  );
  expect(compareFingerprints(before, added.now)).toMatchObject({
    kind: 'source-schema-changed',
    detail: '"a" is another column',
  });

  const swap = ['RENAME COLUMN a TO x', 'RENAME COLUMN b TO a', 'RENAME COLUMN x TO b'];
  for (const statement of swap) await lake.run(`ALTER TABLE t ${statement}`);
  const swapped = await look(lake, ['a', 'b']);
  expect(
    await lake.lake.compute(defaultSettings, (session) => changeOf(session, table, {from: added.to, to: swapped.to})),
  ).toEqual([]);
  expect(compareFingerprints(added.now, swapped.now)).toMatchObject({kind: 'source-schema-changed', source: 'main.t'});

  await lake.run(`ALTER TABLE t ALTER COLUMN a SET DATA TYPE BIGINT`);
  const wider = await look(lake, ['a', 'b']);
  expect(compareFingerprints(swapped.now, wider.now)).toMatchObject({detail: '"a" was INTEGER and is BIGINT'});
});

test('what a query does not use may change', async () => {
  await using lake = await aLake();
  await lake.run(`CREATE TABLE t AS SELECT 1 AS a, 2 AS b`);
  const {before} = await look(lake, ['a']);
  await lake.run(`ALTER TABLE t DROP COLUMN b`);
  await lake.run(`ALTER TABLE t ADD COLUMN z INTEGER`);
  await lake.run(`INSERT INTO t VALUES (3, 4)`);
  const {now} = await look(lake, ['a']);
  expect(compareFingerprints(before, now)).toBeNull();
});

test('another text of a view or macro, another query or setting is named', async () => {
  await using lake = await aLake();
  await lake.run(`CREATE TABLE t AS SELECT 1 AS a`);
  await lake.run(`CREATE VIEW v AS SELECT a FROM t`);
  await lake.run(`CREATE MACRO twice(n) AS n * 2`);
  const reached = {views: [{schema: 'main', name: 'v'}], macros: [{schema: 'main', name: 'twice'}]};
  const first = await look(lake, ['a'], reached);
  await lake.run(`CREATE OR REPLACE MACRO twice(n) AS n + n`);
  const second = await look(lake, ['a'], reached);
  await lake.run(`CREATE OR REPLACE VIEW v AS SELECT a + 1 AS a FROM t`);
  const third = await look(lake, ['a'], reached);
  const fourth = await look(lake, ['a'], {...reached, definition: {query: 'SELECT 2', settings: defaultSettings}});
  expect(compareFingerprints(first.now, second.now)).toEqual({kind: 'view-changed', view: 'main.twice'});
  expect(compareFingerprints(second.now, third.now)).toEqual({kind: 'view-changed', view: 'main.v'});
  expect(compareFingerprints(third.now, fourth.now)).toMatchObject({kind: 'definition-changed'});
});

test('a source or a used column that is gone is told to the user', async () => {
  await using lake = await aLake();
  await lake.run(`CREATE TABLE t AS SELECT 1 AS a, 2 AS b`);
  await lake.run(`ALTER TABLE t DROP COLUMN a`);
  await expect(look(lake, ['a'])).rejects.toMatchObject({
    code: 'source_changed',
    message: 'Source main.t has no column "a" any more',
  });
  await lake.run(`DROP TABLE t`);
  await expect(look(lake, ['b'])).rejects.toMatchObject({code: 'unknown_source'});
});

async function look(
  lake: TestLake,
  columns: readonly string[],
  rest: Partial<Reached> = {},
): Promise<{before: Fingerprint; now: Fingerprint; from: number; to: number}> {
  const reached = {
    definition: {query: 'SELECT 1', settings: defaultSettings},
    sources: [{table, columns}],
    views: [],
    macros: [],
    ...rest,
  };
  return await lake.lake.look(async (session) => {
    const {id} = await currentSnapshot(session);
    const fingerprint = await readFingerprint(session, reached, () => id);
    return {before: fingerprint, now: fingerprint, from: id, to: id};
  });
}
