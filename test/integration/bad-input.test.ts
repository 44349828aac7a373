import {afterAll, beforeAll, expect, test} from 'vitest';
import {checkStatement} from '../../src/activities/create.ts';
import type {CreatePlan} from '../../src/activities/activities.ts';
import {FreshetError} from '../../src/errors.ts';
import {someDeps, type TestDeps} from '../support/deps.ts';

/** What CREATE DYNAMIC TABLE answers to what can't be: a test for each kind of mistake. */
let made: TestDeps;
beforeAll(async () => {
  made = await someDeps();
  await made.run('create table base as select 1 as k, 2 as v');
  await made.run('create table other as select 1 as k, 2 as w');
  await made.run('create view seen as select * from base');
  await made.create(
    `create dynamic table totals target_lag = '1 minute' as select k, sum(v) as s from base group by k`,
  );
});
afterAll(() => made[Symbol.asyncDispose]());

function check(query: string, {name = 'd', options = ''} = {}): Promise<CreatePlan> {
  return checkStatement(made.deps, {
    statement: `create dynamic table ${name} target_lag = '1 day' ${options} as\n${query}`,
  });
}

async function refused(query: string, more: Parameters<typeof check>[1] = {}): Promise<FreshetError> {
  const error = await check(query, more).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof FreshetError) return error;
  throw new Error(`${query} was not refused but ${String(error)}`);
}

test('a mistake in the query stands at its place in the statement, with what was probably meant', async () => {
  expect(await refused('select k,\n  w from base')).toMatchObject({
    code: 'unknown_column',
    position: {line: 3, column: 3},
  });
  expect(await refused('select * from totls')).toMatchObject({
    ...{code: 'unknown_source', position: {line: 2, column: 15}, hint: 'Did you mean "totals"?'},
  });
  expect(await refused('select k from base join other on true')).toMatchObject({
    ...{code: 'ambiguous_name', position: {line: 2, column: 8}},
  });
  expect(await refused('select k from base where')).toMatchObject({code: 'syntax', position: {line: 2, column: 25}});
});

test('what is no SELECT, or several statements, is refused by name and place', async () => {
  expect(await refused('drop table base')).toMatchObject({
    ...{code: 'forbidden_query', message: expect.stringContaining('not DROP'), position: {line: 2, column: 1}},
  });
  expect(await refused('select 1 as a;\n drop table base')).toMatchObject({
    ...{code: 'forbidden_query', message: expect.stringContaining('not 2 statements'), position: {line: 3, column: 2}},
  });
  expect(await refused('pivot base on k using sum(v)')).toMatchObject({
    ...{code: 'forbidden_query', hint: expect.stringContaining('IN')},
  });
});

test('a circle is refused with its path, a target that exists as what it is', async () => {
  expect(await refused('select k from d')).toMatchObject({
    code: 'dependency_cycle',
    message: expect.stringContaining('main.d reads main.d'),
  });
  for (const [name, what] of [
    ['base', 'a table main.base'],
    ['BASE', 'a table main.base'],
    ['seen', 'a view main.seen'],
    ['totals', 'Dynamic table main.totals'],
    ['"Totals"', 'Dynamic table main.totals'],
    ['freshet_state.d', 'freshet_state'],
  ] as const) {
    expect(await refused('select 1 as a', {name})).toMatchObject({
      code: 'already_exists',
      message: expect.stringContaining(what),
    });
  }
  expect(await refused('select 1 as a', {name: 'nowhere.d'})).toMatchObject({
    code: 'unknown_source',
    hint: expect.stringContaining('CREATE SCHEMA'),
  });
});

test('names that the lake keeps for itself are refused, repeated ones numbered, and no columns at all refused', async () => {
  for (const name of [
    'row_id',
    'ROWID',
    'begin_snapshot',
    'end_snapshot',
    '_ducklake_internal_row_id',
    '_ducklake_internal_snapshot_id',
  ]) {
    const error = await refused(`select k as ${name} from base`);
    expect(error).toMatchObject({code: 'invalid_column_name', message: expect.stringContaining(`"${name}"`)});
    expect(error.hint).toMatch(/AS my_\w+\.$/);
  }
  expect((await check('select k, k, v as K from base')).columns.map(({name}) => name)).toEqual(['k', 'k_1', 'K_2']);
  expect(await refused('select * exclude (k, v) from base')).toMatchObject({
    code: 'invalid_query',
    message: expect.stringContaining('empty'),
  });
});

test.each([
  ['select random() as r from base', 'random()'],
  ['select k from base where v < extract(epoch from now())', 'now()'],
  ['select k, current_date as today from base', 'current_date()'],
  [`select age(timestamp '2020-01-01') > interval 1 day as old from base`, 'age(timestamp) has'],
  ['select k from base using sample 1 rows', 'a sample without REPEATABLE'],
  ['select k from base tablesample 10%', 'a sample without REPEATABLE'],
])('%s has no value at a snapshot: refused, unless it may be refreshed fully', async (query, named) => {
  for (const options of ['', 'refresh_mode = incremental']) {
    const error = await refused(query, {options});
    expect(error).toMatchObject({code: 'volatile_function', message: expect.stringContaining(named)});
    expect(error.hint).toContain('REFRESH_MODE = FULL');
  }
  expect(await check(query, {options: 'refresh_mode = full'})).toMatchObject({mode: 'full'});
});

test.each([
  ['select k, first(v) as f from base group by k', /first.* use min or max/],
  ['select distinct on (k) k, v from base', /DISTINCT ON.* use GROUP BY/],
  ['select k, list(v) as l from base group by k', /list.* order it by/],
  ['with recursive r as (select 1 as n union all select n + 1 from r where n < 3) from r', /a recursive CTE/],
  ['select k from base tablesample reservoir(1 rows) repeatable (7)', /a sample/],
])(
  '%s can not be refreshed incrementally: the construct is named, and the rewrite that helps',
  async (query, named) => {
    const error = await refused(query, {options: 'refresh_mode = incremental'});
    expect(error.code).toBe('not_incremental');
    expect(error.message).toMatch(named);
    expect(error.hint).toContain('REFRESH_MODE = AUTO');
    expect((await check(query)).reasons.join(' ')).toMatch(named);
  },
);

test('a column whose type the lake would change is stored exactly as another, and says so', async () => {
  const {columns} = await check(`select k, sum(v) as s, 'a'::enum('a') as e, [sum(v)] as l from base group by k`);
  expect(columns).toEqual([
    {name: 'k', type: 'INTEGER'},
    {name: 's', type: 'DECIMAL(38,0)', queryType: 'HUGEINT'},
    {name: 'e', type: 'VARCHAR', queryType: "ENUM('a')"},
    {name: 'l', type: 'DECIMAL(38,0)[]', queryType: 'HUGEINT[]'},
  ]);
  expect(await refused('select interval 1 day as i from base')).toMatchObject({
    ...{code: 'unsupported_type', hint: 'Cast it: CAST(… AS VARCHAR) AS i.'},
  });
});
