import {afterAll, beforeAll, expect, test} from 'vitest';
import {checkInLake} from '../../src/cli/lake-validation.ts';
import {openQueryReader, type QueryReader} from '../../src/cli/offline-query.ts';
import {checkFiles, createdBy, creationOrder, placeText} from '../../src/cli/validation.ts';
import type {DynamicTable} from '../../src/client.ts';
import {FreshetError} from '../../src/errors.ts';
import type {CreateResult, Explanation} from '../../src/workflows/messages.ts';

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

test('against the lake a CREATE is tried dry, or explained where its table is there, unless it reads one that is not yet', async () => {
  const asked: string[] = [];
  const client = {
    list: () => Promise.resolve([{table: 'main.there'}, {table: 'main.old'}] as DynamicTable[]),
    create: (statement: string, {dryRun}: {dryRun?: boolean} = {}) => {
      asked.push(`${dryRun === true ? 'dry' : 'real'}: ${statement.trim()}`);
      return statement.includes('wrong')
        ? Promise.reject(new FreshetError('unknown_column', 'There is no column wrong.'))
        : Promise.resolve({mode: 'full', reasons: ['a window function']} as unknown as CreateResult);
    },
    explain: (statement: string) => {
      asked.push(`explain: ${statement.trim()}`);
      return Promise.resolve({mode: 'incremental', reasons: [] as readonly string[]} as Explanation);
    },
  };
  const statements = [
    create('there', 'from orders'),
    create('fresh', 'from there'),
    create('old', 'from orders').replace('create', 'create or replace'),
    create('renewed', 'from old'),
    create('reader', 'from fresh'),
    create('mistaken', 'select wrong from orders'),
    'drop dynamic table ther',
    'alter dynamic table there rename to elsewhere',
    'alter dynamic table elsewhere suspend',
    'drop dynamic table if exists gone',
  ];
  const checked = await checkInLake(client, await check(statements.join(';\n')), () => undefined);
  expect(asked).toEqual([`explain: ${statements[0]}`, ...[1, 2, 5].map((i) => `dry: ${statements[i]}`)]);
  expect(checked.map(({mode, note, error}) => [mode, note, error?.code ?? null, error?.position ?? null])).toEqual([
    ['incremental', 'there is one by this name already', null, null],
    ['full', null, null, null],
    ['full', 'in place of the one that is there', null, null],
    [null, 'checked without the lake, which has no such main.old yet', null, null],
    [null, 'checked without the lake, which has no such main.fresh yet', null, null],
    [null, null, 'unknown_column', {line: 6, column: 1}],
    [null, null, 'unknown_dynamic_table', {line: 7, column: 1}],
    [null, null, null, null],
    [null, null, null, null],
    [null, null, null, null],
  ]);
  expect(checked[6]?.error?.hint).toBe('Did you mean "main.there"?');
});
