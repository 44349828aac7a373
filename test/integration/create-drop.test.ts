import {randomUUID} from 'node:crypto';
import {expect, test} from 'vitest';
import {checkStatement, createTarget, finishCreate, reserveTable} from '../../src/activities/create.ts';
import {beginDrop, removeTable} from '../../src/activities/drop.ts';
import type {Deps} from '../../src/activities/deps.ts';
import {allTables} from '../../src/metadata/dynamic-table.ts';
import {readState} from '../../src/lake/state.ts';
import {someDeps, type TestDeps} from '../support/deps.ts';

const statement = `create dynamic table totals target_lag = '1 minute' as select k, sum(v) as s from base group by k`;
const name = {schema: 'main', name: 'totals'};

test('a created table is in the lake, in the metadata and has its schedule; a dropped one is nowhere', async () => {
  await using made = await aLakeWithBase();
  await made.create(statement);
  expect(await whatIsThere(made)).toEqual({metadata: ['active'], lake: true, target: true, schedule: true});

  const found = await beginDrop(made.deps, {table: 'main.totals'});
  await removeTable(made.deps, found!);
  expect(await whatIsThere(made)).toEqual({metadata: [], lake: false, target: false, schedule: false});
});

test('every step may run twice', async () => {
  await using made = await aLakeWithBase();
  const {deps} = made;
  const plan = await checkStatement(deps, {statement});
  const run = {workflowId: 'create', runId: randomUUID()};
  const table = {table: plan.table, incarnation: run.runId};
  for (const _ of [1, 2]) await reserveTable(deps, {plan, run});
  for (const _ of [1, 2]) await createTarget(deps, table);
  for (const _ of [1, 2]) await finishCreate(deps, {...table, taskQueue: 'q'});
  expect(await whatIsThere(made)).toEqual({metadata: ['active'], lake: true, target: true, schedule: true});
  for (const _ of [1, 2]) expect(await beginDrop(deps, {table: 'totals'})).toEqual({...table, running: null});
  for (const _ of [1, 2]) await removeTable(deps, table);
  expect(await whatIsThere(made)).toEqual({metadata: [], lake: false, target: false, schedule: false});
});

test.for(['reserveTable', 'createTarget', 'finishCreate'] as const)(
  'a create that ended after %s is undone by the next one, which succeeds',
  async (last) => {
    await using made = await aLakeWithBase();
    await createUpTo(made.deps, last);
    await made.create(statement);
    expect(await whatIsThere(made)).toEqual({metadata: ['active'], lake: true, target: true, schedule: true});
  },
);

test('a create that died between state row and target is undone by the next one', async () => {
  await using made = await aLakeWithBase();
  await createUpTo(made.deps, 'createTarget');
  await made.run('drop table totals');
  await made.create(statement);
  expect(await whatIsThere(made)).toMatchObject({target: true});
});

test('a create that died before its first state row is dropped with the table for it; a table of somebody else stays', async () => {
  await using made = await aLakeWithBase();
  await createUpTo(made.deps, 'createTarget');
  await made.run('delete from freshet_state."main.totals"');
  await made.run('drop table totals');
  await made.run('create table totals as select 1 as mine');
  await removeTable(made.deps, (await beginDrop(made.deps, {table: 'main.totals'}))!);
  expect(await made.rows(`select count(*) from duckdb_tables() where schema_name = 'freshet_state'`)).toEqual([[0]]);
  expect(await whatIsThere(made)).toMatchObject({metadata: [], target: true});
});

test('a drop that ended before anything was removed is completed by the next drop, and by the next create', async () => {
  await using made = await aLakeWithBase();
  await made.create(statement);
  await beginDrop(made.deps, {table: 'main.totals'});
  await made.create(statement);
  expect(await whatIsThere(made)).toEqual({metadata: ['active'], lake: true, target: true, schedule: true});

  await beginDrop(made.deps, {table: 'main.totals'});
  await removeTable(made.deps, (await beginDrop(made.deps, {table: 'main.totals'}))!);
  expect(await whatIsThere(made)).toEqual({metadata: [], lake: false, target: false, schedule: false});
});

test('a create that comes late does not touch what another has made meanwhile', async () => {
  await using made = await aLakeWithBase();
  const plan = await checkStatement(made.deps, {statement});
  await made.create(statement);
  const late = {plan, run: {workflowId: 'late', runId: randomUUID()}};
  await expect(reserveTable(made.deps, late)).rejects.toMatchObject({code: 'already_exists'});
  await removeTable(made.deps, {table: 'main.totals', incarnation: late.run.runId});
  expect(await whatIsThere(made)).toEqual({metadata: ['active'], lake: true, target: true, schedule: true});
});

test('a statement that can come to nothing is refused, with the code for why', async () => {
  await using made = await aLakeWithBase();
  await made.create(statement);
  const refused = [
    ['already_exists', statement],
    ['already_exists', statement.replace('totals', 'base')],
    ['already_exists', statement.replace('totals', 'TOTALS')],
    ['unknown_source', statement.replace('totals', 'nowhere.t')],
    ['unknown_source', statement.replace('totals', 't').replace('from base', 'from bas')],
    ['unknown_column', statement.replace('totals', 't').replace('sum(v)', 'sum(w)')],
    ['dependency_cycle', statement.replace('totals', 't').replace('from base', 'from t')],
    ['volatile_function', statement.replace('totals', 't').replace('sum(v)', 'sum(v * random())')],
    ['syntax', 'create table t as select 1'],
  ] as const;
  for (const [code, text] of refused) {
    await expect(checkStatement(made.deps, {statement: text}), text).rejects.toMatchObject({code});
  }
});

test('REFRESH_MODE = INCREMENTAL refuses what has no incremental rule, AUTO says why it recomputes', async () => {
  await using made = await aLakeWithBase();
  const query = 'as select k, v, row_number() over (order by v) as n from base';
  await expect(
    checkStatement(made.deps, {
      statement: `create dynamic table t target_lag = downstream refresh_mode = incremental ${query}`,
    }),
  ).rejects.toMatchObject({code: 'not_incremental'});
  const plan = await checkStatement(made.deps, {statement: `create dynamic table t target_lag = downstream ${query}`});
  expect(plan).toMatchObject({mode: 'full', reasons: [expect.stringMatching(/no incremental rule/)]});
});

test('a statement is checked over tables that are assumed, in whatever state the lake has them', async () => {
  await using made = await aLakeWithBase();
  await made.create(statement);
  const columns = [
    {name: 'odd "name"', type: 'STRUCT(a INTEGER, "b c" DECIMAL(9,2))[]'},
    {name: 'k', type: 'INTEGER'},
  ];
  const assumed = ['main.totals', 'away.t'].map((table) => ({table, columns}));
  const over = (query: string) => ({statement: `create dynamic table above target_lag = '1 day' as ${query}`, assumed});
  expect(
    await checkStatement(made.deps, over('select "odd ""name""" as o, count(*) as n from Totals group by 1')),
  ).toMatchObject({
    columns: [{name: 'o', type: 'STRUCT(a INTEGER, "b c" DECIMAL(9,2))[]'}, {name: 'n'}],
    sources: ['main.totals'],
    mode: 'incremental',
    reasons: [],
  });
  expect(
    await checkStatement(made.deps, over('select t.k, v from away.t as t join base as b on t.k = b.k')),
  ).toMatchObject({sources: ['away.t', 'main.base'], mode: 'incremental'});
  await expect(checkStatement(made.deps, over('select s from totals'))).rejects.toMatchObject({code: 'unknown_column'});
  const type = 'INTEGER); DROP TABLE base; SELECT (1';
  await expect(
    checkStatement(made.deps, {statement, assumed: [{table: 'main.x', columns: [{name: 'k', type}]}]}),
  ).rejects.toMatchObject({code: 'invalid_option'});

  // Its own table is there, and what it reads is assumed to read it no more.
  await made.create('create dynamic table above target_lag = downstream as select k from totals');
  const turned = {statement: statement.replace('from base', 'from base join above using (k)')};
  const above = {table: 'main.above', columns: [{name: 'k', type: 'INTEGER'}]};
  expect(await checkStatement(made.deps, {...turned, assumed: [above]})).toMatchObject({
    exists: false,
    sources: ['main.base', 'main.above'],
  });
});

test('IF NOT EXISTS and IF EXISTS are content with what they find', async () => {
  await using made = await aLakeWithBase();
  expect(await beginDrop(made.deps, {table: 'main.totals', ifExists: true})).toBeNull();
  await expect(beginDrop(made.deps, {table: 'main.totals'})).rejects.toMatchObject({code: 'unknown_dynamic_table'});
  await made.create(statement);
  const again = statement.replace('table totals', 'table if not exists totals');
  expect(await checkStatement(made.deps, {statement: again})).toMatchObject({exists: true, table: 'main.totals'});
});

test('a base table that became a dynamic one closes no circle', async () => {
  await using made = await aLakeWithBase();
  await made.create(statement);
  await made.run('drop table base');
  const circle = `create dynamic table base target_lag = downstream as select k, s as v from totals`;
  await expect(checkStatement(made.deps, {statement: circle})).rejects.toMatchObject({
    code: 'dependency_cycle',
    message: 'main.base would read itself: main.base reads main.totals reads main.base.',
  });
});

test('a table that others read is not dropped', async () => {
  await using made = await aLakeWithBase();
  await made.create(statement);
  await made.create('create dynamic table above target_lag = downstream as select count(*) as n from totals');
  await expect(beginDrop(made.deps, {table: 'main.totals'})).rejects.toMatchObject({
    code: 'has_readers',
    message: 'main.totals is read by main.above.',
  });
});

async function aLakeWithBase(): Promise<TestDeps> {
  const made = await someDeps();
  await made.run('create table base as select 1 as k, 2 as v');
  return made;
}

/** As by a workflow that was terminated after `last`. */
async function createUpTo(deps: Deps, last: 'reserveTable' | 'createTarget' | 'finishCreate'): Promise<void> {
  const plan = await checkStatement(deps, {statement});
  const run = {workflowId: `gone-${randomUUID()}`, runId: randomUUID()};
  const table = {table: plan.table, incarnation: run.runId};
  await reserveTable(deps, {plan, run});
  if (last === 'reserveTable') return;
  await createTarget(deps, table);
  if (last === 'createTarget') return;
  // All of it but the last step: the schedule is there, the table is not yet active.
  await finishCreate(
    {...deps, schedules: {...deps.schedules, create: scheduleAndDie(deps)}},
    {...table, taskQueue: 'q'},
  ).catch(() => undefined);
}

function scheduleAndDie({schedules}: Deps): Deps['schedules']['create'] {
  return async (request) => {
    await schedules.create(request);
    throw new Error('killed');
  };
}

async function whatIsThere({deps, rows, scheduled}: TestDeps) {
  const tables = await rows(
    `select 1 from duckdb_tables() where database_name = 'lake' and table_name = 'totals' and schema_name = 'main'`,
  );
  return {
    metadata: (await allTables(deps.metadata)).map(({state}) => state),
    lake: (await deps.lake.look((session) => readState(session, name))) !== null,
    target: tables.length > 0,
    schedule: scheduled.has('main.totals'),
  };
}
