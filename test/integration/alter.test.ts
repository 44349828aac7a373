import {randomUUID} from 'node:crypto';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {alterTable} from '../../src/activities/alter.ts';
import {replaceTable, restoreTable} from '../../src/activities/replace.ts';
import {checkStatement} from '../../src/activities/create.ts';
import {checkCardinality} from '../../src/activities/check-cardinality.ts';
import {findTables} from '../../src/activities/choose-version.ts';
import type {CreatePlan} from '../../src/activities/activities.ts';
import type {Deps} from '../../src/activities/deps.ts';
import {beginDrop} from '../../src/activities/drop.ts';
import {extractChanges} from '../../src/activities/extract-changes.ts';
import {lookUpSnapshots} from '../../src/activities/look-up-snapshots.ts';
import {publishRefresh} from '../../src/activities/publish-refresh.ts';
import {readState} from '../../src/lake/state.ts';
import {findTable} from '../../src/metadata/dynamic-table.ts';
import {history} from '../../src/metadata/refresh.ts';
import type {ApplyInput} from '../../src/refresh/messages.ts';
import {someDeps, type TestDeps} from '../support/deps.ts';

let made: TestDeps;
beforeAll(async () => {
  made = await someDeps();
  await made.run('create table base as select i % 3 as k, i as v from range(9) as t(i)');
});
afterAll(() => made[Symbol.asyncDispose]());

/** `main.<name>`, published, and known to the metadata. */
async function aTable(
  name: string,
  query = 'select k, sum(v) as s from base group by k',
  options = '',
): Promise<string> {
  const table = await made.create(`create dynamic table ${name} target_lag = '1 day' ${options} as ${query}`);
  await made.publish(table);
  await made.choose(table);
  return table;
}

/** As the workflow does it. */
async function alter(table: string, change: string, deps: Deps = made.deps) {
  const {name, incarnation} = (await findTables(deps, {table, trigger: 'manual'})).table;
  const run = {workflowId: 'alter', runId: randomUUID()};
  const statement = `alter dynamic table ${table} ${change}`;
  return await alterTable({...deps, signal: new AbortController().signal}, {statement, table: name, incarnation, run});
}

const row = async (name: string) => {
  const found = await findTable(made.deps.metadata, name);
  if (found === null) throw new Error(`${name} is gone`);
  return found;
};

const state = async (name: string) => {
  const found = await made.deps.lake.look((session) => readState(session, {schema: 'main', name}));
  if (found === null) throw new Error(`${name} is gone`);
  return found;
};

async function lookUp(table: string) {
  const given = {upstreams: {}, full: false, hasReaders: false, trigger: 'manual'} as const;
  const apply: ApplyInput = {table, dataVersion: await made.snapshot(), ...given};
  return {apply, found: await lookUpSnapshots(made.deps, {apply})};
}

async function publish({apply, found}: Awaited<ReturnType<typeof lookUp>>) {
  if (found.kind !== 'refresh') throw new Error(found.kind);
  const input = {apply, refreshId: randomUUID(), lookUp: found};
  const extraction = await extractChanges(made.deps, input);
  const decision = await checkCardinality({lookUp: found, extraction});
  return await publishRefresh(made.deps, {...input, extraction, decision});
}

const throughout = {
  targetLag: {kind: 'seconds', seconds: 60},
  refreshMode: 'FULL',
  initialize: 'ON_CREATE',
  cardinalityThreshold: 0.5,
  priority: 1,
  comment: "it's for people",
};

test('SET changes options in the lake, the metadata and the schedule, and nothing else', async () => {
  const table = await aTable('totals');
  const reader = await aTable('reader', 'select count(*) as n from totals');
  const before = {
    row: await row(table),
    state: await state('totals'),
    entries: await history(made.deps.metadata, table, 10),
  };
  const set = `set target_lag = '1 minute' refresh_mode = full, cardinality_threshold = .5 priority = 1 comment = 'it''s for people'`;
  expect(await alter('TOTALS', set)).toEqual({
    ...{table, outcome: 'altered', mode: 'full', reasons: ['REFRESH_MODE = FULL']},
  });
  expect((await state('totals')).definition.options).toEqual(throughout);
  expect(await row(table)).toEqual({
    ...before.row,
    ...{mode: 'full', reasons: ['REFRESH_MODE = FULL'], definition: (await state('totals')).definition},
    // From here on another lag is what counts.
    lagCountedFrom: expect.any(String) as string,
  });
  expect(made.lags.get(table)).toBe('1 minute');
  expect(
    await made.rows(`select comment from duckdb_tables() where table_name = 'totals' and schema_name = 'main'`),
  ).toEqual([["it's for people"]]);
  expect(await history(made.deps.metadata, table, 10)).toEqual(before.entries);
  expect((await state('totals')).contents).toBe(before.state.contents);
  expect(await made.choose(reader)).toMatchObject({kind: 'no-data'});

  expect(await alter('totals', "set comment = 'it''s for people'")).toMatchObject({outcome: 'unchanged'});
  expect(await alter('totals', 'set refresh_mode = auto comment = null')).toMatchObject({
    ...{mode: 'incremental', reasons: []},
  });
  expect(
    await made.rows(`select comment from duckdb_tables() where table_name = 'totals' and schema_name = 'main'`),
  ).toEqual([[null]]);
  await made.run('insert into base values (1, 100)');
  const {found} = await lookUp(table);
  expect(found).toMatchObject({kind: 'refresh', forced: null});
});

test('what a mode rules out is refused, and nothing is changed', async () => {
  const lag = 'target_lag = downstream';
  const ranked = await made.create(
    `create dynamic table ranked ${lag} as select v, row_number() over (order by v) as n from base`,
  );
  await made.create(`create dynamic table chance ${lag} refresh_mode = full as select v * random() as r from base`);
  for (const [code, table, change] of [
    ['not_incremental', 'ranked', "set refresh_mode = incremental comment = 'no'"],
    ['volatile_function', 'chance', 'set refresh_mode = auto'],
    ['invalid_option', 'ranked', 'set initialize = on_schedule'],
    ['invalid_option', 'ranked', "set target_lag = '1 second'"],
    ['unknown_option', 'ranked', 'set warehouse = big'],
    ['unknown_dynamic_table', 'rankd', "set comment = 'no'"],
    ['syntax', 'ranked', 'suspend'],
  ])
    await expect(alter(table ?? '', change ?? ''), change).rejects.toMatchObject({code});
  expect((await state('ranked')).definition.options).toMatchObject({refreshMode: 'AUTO', comment: null});
  expect(await alter(ranked, "set target_lag = '1 hour'")).toMatchObject({outcome: 'altered'});
  expect((await lookUp(ranked)).found).toMatchObject({forced: {action: 'INITIAL'}});
  expect(await row(ranked)).toMatchObject({mode: 'full', reasons: [expect.stringContaining('no incremental rule')]});
});

test('an alter that was cut off after the lake is ended by the next statement, and by the next tick', async () => {
  const table = await aTable('cut_off');
  const before = await row(table);
  const killed = {...made.deps.schedules, change: () => Promise.reject(new Error('killed'))};
  const cutOff = {...made.deps, schedules: killed};
  await expect(alter(table, "set target_lag = '2 hours'", cutOff)).rejects.toThrow('killed');
  expect(await row(table)).toEqual(before);
  await expect(beginDrop(made.deps, {table: 'main.nowhere'})).rejects.toThrow('no dynamic table');
  expect(made.lags.get(table)).toBe('2 hours');
  expect(await row(table)).toEqual({
    ...{...before, definition: (await state('cut_off')).definition},
    lagCountedFrom: expect.any(String) as string,
  });

  await expect(alter(table, "set target_lag = '3 hours'", cutOff)).rejects.toThrow('killed');
  await made.choose(table, {trigger: 'schedule', scheduledTime: new Date().toISOString()});
  expect(made.lags.get(table)).toBe('3 hours');
  expect(await row(table)).toMatchObject({definition: {options: {targetLag: {seconds: 10_800}}}});
});

test('rows that somebody wrote are not taken for ours, whether the table was altered before or after', async () => {
  const table = await aTable('spoilt');
  await alter(table, "set comment = 'new'");
  await made.run('update spoilt set s = 0');
  expect((await lookUp(table)).found).toMatchObject({forced: {action: 'FULL', reason: {kind: 'target-written'}}});
  await alter(table, "set comment = 'newer'");
  expect((await lookUp(table)).found).toMatchObject({forced: {action: 'REINITIALIZE'}});
});

test('RENAME takes all of a table along, its history too, and the old name is free', async () => {
  const table = await aTable('before', 'select k, avg(v) as mean from base group by k');
  for (const v of [1, 2]) {
    await made.run(`insert into base values (0, ${v})`);
    await made.publish(table);
  }
  await made.choose(table);
  await alter(table, "set comment = 'new'");
  const {contents, rows} = await state('before');
  const known = {row: await row(table), entries: await history(made.deps.metadata, table, 10)};
  expect(await alter('BEFORE', 'rename to "After"')).toEqual({
    ...{table: 'main."After"', outcome: 'altered', mode: 'incremental', reasons: []},
  });
  expect(await state('After')).toMatchObject({contents, rows, fingerprint: {groups: {rows: 3}}});
  expect(await row('main."After"')).toMatchObject({
    ...{incarnation: known.row.incarnation, dataVersion: known.row.dataVersion, freshAt: known.row.freshAt},
  });
  const renamed = known.entries.map((entry) => ({...entry, table: 'main."After"'}));
  expect(await history(made.deps.metadata, 'main."After"', 10)).toEqual(renamed);
  expect([...made.scheduled].filter((name) => /before|after/i.test(name))).toEqual(['main."After"']);
  expect(await made.rows(`select table_name from duckdb_tables() where table_name ilike '%before%'`)).toEqual([]);

  const options = await made.newcomer();
  const protectedFrom = `select value from lake.options() where option_name = 'auto_compact' and scope_entry ilike '%After%'`;
  expect(new Set((await options.rows(protectedFrom)).flat())).toEqual(new Set(['false']));
  expect(await made.choose('main.after')).toMatchObject({kind: 'no-data'});
  await made.run('insert into base values (0, 3)');
  expect((await lookUp('main."After"')).found).toMatchObject({forced: null});
  await made.publish('main."After"');
  expect(await made.rows('(from "After") except (select k, avg(v) from base group by k)')).toEqual([]);
  await made.create(`create dynamic table before target_lag = downstream as select k from base`);
});

test('a name that is taken, and a table that others read, are not for RENAME', async () => {
  await made.create(`create dynamic table named target_lag = downstream as select k from base`);
  await made.create(`create dynamic table naming target_lag = downstream as select k from named`);
  await made.create(`create dynamic table alone target_lag = downstream as select k from base`);
  for (const [code, table, change] of [
    ['has_readers', 'named', 'rename to other'],
    ['already_exists', 'alone', 'rename to named'],
    ['already_exists', 'alone', 'rename to NAMED'],
    ['already_exists', 'alone', 'rename to base'],
    ['already_exists', 'alone', 'rename to Alone'],
  ])
    await expect(alter(table ?? '', change ?? ''), change).rejects.toMatchObject({code});
  expect(await row('main.alone')).toMatchObject({state: 'active'});
  await expect(replace('named target_lag = downstream as select k from naming')).rejects.toMatchObject({
    code: 'dependency_cycle',
  });
  expect(await findTable(made.deps.metadata, 'main.base')).toBeNull();
});

test('a rename that was cut off after the lake is ended by the next statement, and by the next tick of either name', async () => {
  const killed = {...made.deps.schedules, rename: () => Promise.reject(new Error('killed'))};
  const cutOff = {...made.deps, schedules: killed};
  const tick = {trigger: 'schedule', scheduledTime: new Date().toISOString()} as const;
  await aTable('first');
  const follow = [
    ['second', () => expect(beginDrop(made.deps, {table: 'main.nowhere'})).rejects.toThrow('no dynamic table')],
    ['third', () => expect(made.choose('main.second', tick)).rejects.toMatchObject({code: 'unknown_dynamic_table'})],
    ['fourth', () => expect(made.choose('main.fourth', tick)).resolves.toMatchObject({kind: 'no-data'})],
  ] as const;
  let name = 'first';
  for (const [to, next] of follow) {
    await expect(alter(name, `rename to ${to}`, cutOff)).rejects.toThrow('killed');
    await next();
    expect(await findTable(made.deps.metadata, `main.${name}`)).toBeNull();
    expect(await row(`main.${to}`)).toMatchObject({state: 'active', definition: {table: {name: to}}});
    expect(made.scheduled).toContain(`main.${to}`);
    name = to;
  }
  await made.run('insert into base values (0, 3)');
  expect(await made.choose('main.fourth')).toMatchObject({kind: 'refresh'});
});

test('a refresh that was at work when the table was altered or renamed publishes nothing', async () => {
  const table = await aTable('departing');
  await made.run('insert into base values (2, 100)');
  const first = await lookUp(table);
  await alter(table, "set comment = 'new'");
  expect(await publish(first)).toEqual({kind: 'lost'});
  const second = await lookUp(table);
  await alter(table, 'rename to departed');
  await expect(publish(second)).rejects.toMatchObject({code: 'unknown_dynamic_table'});
  await made.publish('main.departed');
  expect(await made.rows('(from departed) except (select k, sum(v) from base group by k)')).toEqual([]);
  expect((await state('departed')).definition.options.comment).toBe('new');
});

async function planOf(statement: string): Promise<CreatePlan> {
  const signal = new AbortController().signal;
  return await checkStatement({...made.deps, signal}, {statement: `create or replace dynamic table ${statement}`});
}

/** As the workflow does it, without the refresh that follows. */
async function replace(statement: string, deps: Deps = made.deps): Promise<void> {
  const signal = new AbortController().signal;
  const plan = await planOf(statement);
  if (plan.replaces === undefined) throw new Error('nothing to replace');
  await replaceTable({...deps, signal}, {plan, replaces: plan.replaces});
}

test('another query begins anew, also before the first refresh; the same one only when what it reads is another', async () => {
  await made.create(`create dynamic table bare target_lag = '1 day' initialize = on_schedule as select 1 as z`);
  await made.run('create table wide as select 1 as a');
  for (const [query, rows] of [
    ['from wide', [[1]]],
    ['from wide', [[1, 2]]],
    ['select 3 as a, 4 as b', [[3, 4]]],
  ] as const) {
    await replace(`BARE target_lag = '1 day' as ${query}`);
    await made.publish('main.bare');
    expect(await made.rows('from bare')).toEqual(rows);
    await made.run('alter table wide add column if not exists b integer default 2');
  }
  await made.choose('main.bare');
  await replace(`bare target_lag = '1 day' as select 3 as a, 4 as b`);
  expect(await made.choose('main.bare')).toMatchObject({kind: 'no-data'});
});

test('a replacement that was cut off after the lake is ended by the next tick, and can be undone until it is published', async () => {
  const table = await aTable('succeeded', undefined, "comment = 'old'");
  const before = {row: await row(table), state: await state('succeeded')};
  const killed = {...made.deps.schedules, change: () => Promise.reject(new Error('killed'))};
  const statement = `succeeded target_lag = '1 hour' as select max(a) as m from other`;
  await made.run('create table other as select 7 as a');
  await expect(replace(statement, {...made.deps, schedules: killed})).rejects.toThrow('killed');
  expect(await row(table)).toMatchObject({columns: [{name: 'k'}, {name: 's'}]});
  const tick = {trigger: 'schedule', scheduledTime: new Date().toISOString()} as const;
  expect(await made.choose(table, tick)).toMatchObject({kind: 'refresh'});
  expect(await row(table)).toMatchObject({
    ...{columns: [{name: 'm'}], sources: ['main.other'], definition: {options: {targetLag: {seconds: 3600}}}},
  });

  const replaced = {plan: await planOf(statement), replaces: before.row};
  const deps = {...made.deps, signal: new AbortController().signal};
  await restoreTable(deps, replaced);
  const {dataVersion, lagCountedFrom} = await row(table);
  expect(await row(table)).toEqual({...before.row, dataVersion, lagCountedFrom});
  expect(await state('succeeded')).toMatchObject({
    definition: before.state.definition,
    contents: before.state.contents,
  });
  expect((await lookUp(table)).found).toMatchObject({forced: {action: 'REINITIALIZE'}});

  await replaceTable(deps, replaced);
  await made.publish(table);
  await restoreTable(deps, replaced);
  expect(await made.rows('from succeeded')).toEqual([[7]]);
  expect(await state('succeeded')).toMatchObject({
    ...{incarnation: before.state.incarnation, contents: before.state.contents + 1, rows: 1},
    definition: {options: {comment: null}},
  });
});
