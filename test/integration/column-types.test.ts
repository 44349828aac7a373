import {afterAll, beforeAll, expect, test} from 'vitest';
import {aDynamicTable} from '../support/dynamic-table.ts';
import {aLake} from '../support/lake.ts';

/** What the lake is asked to keep, at the edges of each type. */
const values: Readonly<Record<string, readonly string[]>> = {
  hugeint: [
    'sum(i)',
    '99999999999999999999999999999999999999::hugeint',
    '(-99999999999999999999999999999999999999)::hugeint',
  ],
  uhugeint: ['9007199254740993::uhugeint'],
  'nested hugeint': ['[sum(i)]', '{a: [sum(i)], b: null::uhugeint}', "map {'k': sum(i)}"],
  enum: ["'b'::enum('b', 'a')", "['b'::enum('b', 'a')]"],
  integers: ['(-128)::tinyint', '255::utinyint', '18446744073709551615::ubigint', '(-9223372036854775808)::bigint'],
  decimals: ['99999999999999999999999999999999999.999::decimal(38,3)', '(-0.1)::decimal(4,1)'],
  floats: ["'nan'::double", "'-infinity'::float", "'-0.0'::double", '5e-324::double'],
  texts: [
    "''",
    'chr(0) || chr(65)',
    "'Grüße 😀'",
    String.raw`'\x00\xff'::blob`,
    `'{"a": [1, null]}'::json`,
    "'0f8fad5b-d9cb-469f-a165-70867728950e'::uuid",
  ],
  times: [
    "timestamp_ns '2020-01-01 00:00:00.123456789'",
    "timestamp_ms '2020-01-01 00:00:00.123'",
    "timestamp_s '2020-01-01 00:00:00'",
    "time '23:59:59.999999'",
    "timestamptz '2020-01-01 00:00:00+05:30'",
  ],
  'edges of time': ["'infinity'::date", "'-infinity'::timestamp", "date '5000-01-01'", "date '0044-03-15 (BC)'"],
  empty: ['null', '[]', '[null]', 'map {}', '{a: null}', "null::enum('a')", '[[]::int[]]'],
  others: ["'POINT(0 0)'::geometry", '42::variant', 'true', '{"a b": 1, "c""d": [true]}'],
};

let lake: Awaited<ReturnType<typeof aLake>>;
beforeAll(async () => {
  lake = await aLake();
  await lake.run('create table base as select i::bigint as i from range(3) as t(i)');
  await lake.run('create table one as select 1 as i');
});
afterAll(() => lake[Symbol.asyncDispose]());

test('values at the edges of every type come back as the query gives them', async () => {
  const list = Object.values(values)
    .flat()
    .map((expression, place) => `${expression} as c${place}`);
  const table = await aDynamicTable(lake, 'd', `select min(i) as i, ${list.join(', ')} from base`);
  await table.refresh();
  expect(await table.differences()).toEqual([]);
  await lake.run('insert into base values (10)');
  await table.refresh();
  expect(await table.differences()).toEqual([]);
});

test('a value that the exact type has no digits for is an error of the data, never another value', async () => {
  const table = await aDynamicTable(
    lake,
    'too_big',
    'select 170141183460469231731687303715884105727::hugeint as big, i from one',
  );
  await expect(table.refresh()).rejects.toMatchObject({
    code: 'data_error',
    message: expect.stringMatching(/^Conversion Error: .*DECIMAL\(38,0\).*$/),
  });
});

test('a sample with REPEATABLE is the same each time that it is drawn at a snapshot', async () => {
  await lake.run(`call lake.set_option('data_inlining_row_limit', 0)`);
  await lake.run('create table large as select i from range(300000) as t(i)');
  await lake.run('insert into large select i from range(50000) as t(i) where i % 7 <> 1');
  await lake.run('delete from large where i % 11 = 3');
  const samples = ['reservoir(1000 rows)', 'bernoulli(3%)', 'system(10%)'].map(
    (method) => `(select i from large tablesample ${method} repeatable (7))`,
  );
  const table = await aDynamicTable(lake, 'sampled', samples.join(' union all '));
  await table.refresh();
  for (let i = 0; i < 3; i++) expect(await table.differences()).toEqual([]);
});
