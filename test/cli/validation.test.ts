import {afterAll, beforeAll, expect, test} from 'vitest';
import {checkInLake} from '../../src/cli/lake-validation.ts';
import {openQueryReader, type QueryReader} from '../../src/cli/offline-query.ts';
import {checkFiles, createdBy, creationOrder, placeText} from '../../src/cli/validation.ts';
import type {AssumedTable, DynamicTable} from '../../src/client.ts';
import {FreshetError} from '../../src/errors.ts';
import type {CreateResult} from '../../src/workflows/messages.ts';

let reader: QueryReader;
beforeAll(async () => {
  reader = await openQueryReader('lake');
});
afterAll(() => reader.close());

const create = (name: string, query: string) => `create dynamic table ${name} target_lag = '1 day' as ${query}`;

function check(...texts: readonly string[]) {
  return checkFiles(
    texts.map((text, i) => ({file: `${i + 1}.sql`, text})),
    reader,
  );
}

test("what each statement reads is told in DuckDB's own dialect, and the order in which they can be run", async () => {
  const checked = await check(
    `${create('late', 'from Early semi join regions using (region)')};\ndrop dynamic table old;`,
    create('early', 'with c as (from lake.orders) select region, sum(amount) from c, lake.s.others group by all'),
  );
  expect(checked.map((each) => [placeText(each), createdBy(each), each.reads, each.error])).toEqual([
    ['1.sql:1:1', 'main.late', ['main.early', 'main.regions'], null],
    ['1.sql:2:1', null, [], null],
    ['2.sql:1:1', 'main.early', ['main.orders', 's.others'], null],
  ]);
  expect(creationOrder(checked)).toEqual(['main.early', 'main.late']);
});

test('every mistake is told, with its line and column in the file', async () => {
  const checked = await check(
    [
      'create dynamic table a target_lg = 1 as select 1;',
      create('b', "select *\n  from read_csv('x.csv')") + ';',
      create('c', 'select 1 +\n  from') + ';',
      `${create('d', 'select 1')};`,
      create('D', 'select 2'),
    ].join('\n'),
  );
  expect(checked.map(({error}) => error && [error.code, error.position])).toEqual([
    ['unknown_option', {line: 1, column: 24}],
    ['forbidden_query', {line: 3, column: 8}],
    ['syntax', {line: 5, column: 3}],
    null,
    ['already_exists', {line: 7, column: 1}],
  ]);
});

test('tables that read one another in a circle are told once', async () => {
  const checked = await check(create('a', 'from c'), create('b', 'from a'), create('c', 'from b'));
  expect(checked.map(({error}) => error?.message ?? null)).toEqual([
    'main.a would read itself: main.a reads main.c reads main.b reads main.a.',
    null,
    null,
  ]);
});

test('a table may be created again after it was dropped', async () => {
  const [, , again] = await check(`${create('a', 'select 1')}; drop dynamic table a; ${create('a', 'select 2')}`);
  expect(again?.error).toBeNull();
});

test('a table may be replaced and renamed, and what reads what is told in the order of the statements', async () => {
  const checked = await check(
    `${create('a', 'from base')}; ${create('b', 'from a')}; create or replace dynamic table A target_lag = '1 h' as select 2;
     alter dynamic table b rename to former; alter dynamic table a suspend; ${create('b', 'from FORMER')};
     ${create('c', 'from b')}; create or replace dynamic table former target_lag = '1 h' as select 3;
     create or replace dynamic table a target_lag = '1 h' as from c`,
  );
  expect(checked.flatMap(({error}) => error ?? [])).toEqual([]);
  expect(creationOrder(checked)).toEqual(['main.a', 'main.b', 'main.c', 'main.former']);

  const taken = await check(
    `${create('a', 'from b')}; ${create('b', 'select 1')}; alter dynamic table b rename to A; alter dynamic table b rename to c;
     ${create('c', 'select 1')}; create or replace dynamic table c target_lag = '1 h' as from a`,
  );
  expect(taken.map(({error}) => error?.message ?? null)).toEqual([
    null,
    null,
    'main.a is there already, by 1.sql:1:1.',
    null,
    'main.c is there already, by 1.sql:1:148.',
    null,
  ]);
  const cycle = await check(
    `${create('a', 'from base')}; ${create('b', 'from a')}; create or replace dynamic table a target_lag = '1 h' as from b`,
  );
  expect(cycle.map(({error}) => error?.code ?? null)).toEqual([null, null, 'dependency_cycle']);
});

test('plain SQL is left to DuckDB but for its syntax, where a misspelt statement of ours ends up too', async () => {
  const checked = await check(
    'create table t as select 1;\n  create dynamc table d as select 1;\npragma of_an_extension;\nselect 1 +',
  );
  expect(checked.map(({error}) => error && [error.code, error.position])).toEqual([
    null,
    ['syntax', {line: 2, column: 10}],
    null,
    ['syntax', expect.anything()],
  ]);
});

test('against the lake each CREATE is tried dry, over the columns that those which it reads will have', async () => {
  const asked: string[] = [];
  const columns = [{name: 'n', type: 'INTEGER'}];
  const client = {
    list: () => Promise.resolve([{table: 'main.there'}, {table: 'main.old'}] as DynamicTable[]),
    create: (statement: string, {assumed}: {assumed?: readonly AssumedTable[]} = {}) => {
      asked.push(`${statement.trim()} ${JSON.stringify(assumed)}`);
      if (statement.includes('wrong')) {
        return Promise.reject(new FreshetError('unknown_column', 'There is no column wrong.'));
      }
      if (statement.includes('made')) return Promise.reject(new FreshetError('unknown_source', 'There is no made.'));
      return Promise.resolve({
        mode: 'incremental',
        reasons: [] as readonly string[],
        columns,
      } as unknown as CreateResult);
    },
  };
  const statements = [
    create('reader', 'from mistaken'),
    create('there', 'from fresh'),
    create('fresh', 'from orders'),
    create('mistaken', 'select wrong from fresh'),
    'create schema s; create or replace view s.made as select 1',
    create('over_made', 'from s.made'),
    create('old', 'from orders').replace('create', 'create or replace'),
    'drop dynamic table ther',
    'alter dynamic table there rename to elsewhere',
    'alter dynamic table elsewhere suspend',
    create('over_renamed', 'from elsewhere'),
    'drop dynamic table if exists gone',
  ];
  const checked = await checkInLake(client, await check(statements.join(';\n')), () => undefined);
  const fresh = JSON.stringify([{table: 'main.fresh', columns}]);
  expect(asked).toEqual([
    `${statements[2]} []`,
    `${statements[3]} ${fresh}`,
    `${statements[1]} ${fresh}`,
    `${statements[5]} []`,
    `${statements[6]} []`,
  ]);
  expect(checked.map(({mode, note, error}) => [mode, note, error?.code ?? null, error?.position ?? null])).toEqual([
    [null, 'not checked in the lake, which has no such main.mistaken yet', null, null],
    ['incremental', 'there is one by this name already', null, null],
    ['incremental', null, null, null],
    [null, null, 'unknown_column', {line: 4, column: 1}],
    [null, null, null, null],
    [null, null, null, null],
    [null, 'not checked in the lake, where what 1.sql:5:1 creates is not yet', null, null],
    ['incremental', 'in place of the one that is there', null, null],
    [null, null, 'unknown_dynamic_table', {line: 8, column: 1}],
    [null, null, null, null],
    [null, null, null, null],
    [null, 'not checked in the lake, which has no such main.elsewhere yet', null, null],
    [null, null, null, null],
  ]);
  expect(checked[8]?.error?.hint).toBe('Did you mean "main.there"?');
});
