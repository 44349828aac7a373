import {randomUUID} from 'node:crypto';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {alterTable} from '../../src/activities/alter.ts';
import {replaceTable} from '../../src/activities/replace.ts';
import {checkStatement} from '../../src/activities/create.ts';
import {checkCardinality} from '../../src/activities/check-cardinality.ts';
import {findTables} from '../../src/activities/choose-version.ts';
import type {Deps} from '../../src/activities/deps.ts';
import {beginDrop} from '../../src/activities/drop.ts';
import {extractChanges} from '../../src/activities/extract-changes.ts';
import {lookUpSnapshots} from '../../src/activities/look-up-snapshots.ts';
import {publishRefresh} from '../../src/activities/publish-refresh.ts';
import {readState} from '../../src/lake/state.ts';
import {findTable} from '../../src/metadata/dynamic-table.ts';
import {history} from '../../src/metadata/refresh.ts';
import type {ApplyInput, LookUp} from '../../src/refresh/messages.ts';
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

async function publish(apply: ApplyInput, found: LookUp & {kind: 'refresh'}) {
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
  comment: "it's for people",
};

test('SET changes options in the lake, the metadata and the schedule, and nothing else', async () => {
  const table = await aTable('totals');
  const before = {
    row: await row(table),
    state: await state('totals'),
    entries: await history(made.deps.metadata, table, 10),
  };
  const set = `set target_lag = '1 minute' refresh_mode = full, cardinality_threshold = .5 comment = 'it''s for people'`;
  expect(await alter('TOTALS', set)).toEqual({
    ...{table, outcome: 'altered', mode: 'full', reasons: ['REFRESH_MODE = FULL']},
  });
  expect((await state('totals')).definition.options).toEqual(throughout);
  expect(await row(table)).toEqual({
    ...before.row,
    ...{mode: 'full', reasons: ['REFRESH_MODE = FULL'], definition: (await state('totals')).definition},
  });
  expect(made.lags.get(table)).toBe('1 minute');
  expect(
    await made.rows(`select comment from duckdb_tables() where table_name = 'totals' and schema_name = 'main'`),
  ).toEqual([["it's for people"]]);
  expect(await history(made.deps.metadata, table, 10)).toEqual(before.entries);
  expect((await state('totals')).contents).toBe(before.state.contents);
  expect(await made.choose(table)).toMatchObject({kind: 'no-data'});

  expect(await alter('totals', "set comment = 'it''s for people'")).toMatchObject({outcome: 'unchanged'});
  expect(await alter('totals', 'set refresh_mode = auto')).toMatchObject({mode: 'incremental', reasons: []});
  await made.run('insert into base values (1, 100)');
  const {found} = await lookUp(table);
  expect(found).toMatchObject({kind: 'refresh', forced: null});
});

test('what a mode rules out is refused, and nothing is changed', async () => {
  const ranked = await aTable('ranked', 'select v, row_number() over (order by v) as n from base');
  await aTable('chance', 'select v * random() as r from base', 'refresh_mode = full');
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
  expect(await row(table)).toEqual({...before, definition: (await state('cut_off')).definition});

  await expect(alter(table, "set target_lag = '3 hours'", cutOff)).rejects.toThrow('killed');
  await made.choose(table, {trigger: 'schedule', scheduledTime: new Date().toISOString()});
  expect(made.lags.get(table)).toBe('3 hours');
  expect(await row(table)).toMatchObject({definition: {options: {targetLag: {seconds: 10_800}}}});
});

test('a refresh that was at work when the table was altered publishes nothing', async () => {
  const table = await aTable('overtaken');
  await made.run('insert into base values (2, 100)');
  const {apply, found} = await lookUp(table);
  await alter(table, "set comment = 'new'");
  if (found.kind !== 'refresh') throw new Error(found.kind);
  expect(await publish(apply, found)).toEqual({kind: 'lost'});
  await made.publish(table);
  expect((await state('overtaken')).definition.options.comment).toBe('new');
});

test('rows that somebody wrote before the table was altered are not taken for ours', async () => {
  const table = await aTable('spoilt');
  await made.run('update spoilt set s = 0');
  await alter(table, "set comment = 'new'");
  expect((await lookUp(table)).found).toMatchObject({forced: {action: 'REINITIALIZE'}});
  const other = await aTable('spoilt_later');
  await alter(other, "set comment = 'new'");
  await made.run('update spoilt_later set s = 0');
  expect((await lookUp(other)).found).toMatchObject({forced: {action: 'FULL', reason: {kind: 'target-written'}}});
});

test('what is kept of its groups stays with an altered table, and nothing is new for its readers', async () => {
  const table = await aTable('grouped', 'select k, avg(v) as mean from base group by k');
  for (const v of [1, 2]) {
    await made.run(`insert into base values (0, ${v})`);
    await made.publish(table);
  }
  const reader = await aTable('reader', 'select count(*) as n from grouped');
  expect((await state('grouped')).fingerprint?.groups).toMatchObject({rows: 3});
  await alter(table, "set comment = 'new'");
  expect(await made.choose(reader)).toMatchObject({kind: 'no-data'});
  await made.run('insert into base values (0, 3)');
  expect((await lookUp(table)).found).toMatchObject({forced: null});
});

test('before its first refresh a table is altered too', async () => {
  const table = await made.create(`create dynamic table early target_lag = downstream as select v from base`);
  expect(await alter(table, "set target_lag = '1 hour'")).toMatchObject({outcome: 'altered'});
  await made.publish(table);
  expect(await row(table)).toMatchObject({definition: {options: {targetLag: {seconds: 3600}}}});
});

test('RENAME takes all of a table along, its history too, and the old name is free', async () => {
  const table = await aTable('before', 'select k, avg(v) as mean from base group by k');
  for (const v of [1, 2]) {
    await made.run(`insert into base values (0, ${v})`);
    await made.publish(table);
  }
  await made.choose(table);
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

  expect(await made.choose('main.after')).toMatchObject({kind: 'no-data'});
  await made.run('insert into base values (0, 3)');
  expect((await lookUp('main."After"')).found).toMatchObject({forced: null});
  await made.publish('main."After"');
  expect(await made.rows('(from "After") except (select k, avg(v) from base group by k)')).toEqual([]);
  await aTable('before');
  expect(await row(table)).toMatchObject({state: 'active'});
});

test('a name that is taken, and a table that others read, are not for RENAME', async () => {
  await aTable('named');
  await made.create(`create dynamic table naming target_lag = downstream as select k from named`);
  await aTable('alone');
  for (const [code, table, change] of [
    ['has_readers', 'named', 'rename to other'],
    ['already_exists', 'alone', 'rename to named'],
    ['already_exists', 'alone', 'rename to NAMED'],
    ['already_exists', 'alone', 'rename to base'],
    ['already_exists', 'alone', 'rename to Alone'],
  ])
    await expect(alter(table ?? '', change ?? ''), change).rejects.toMatchObject({code});
  expect(await row('main.alone')).toMatchObject({state: 'active'});
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

test('a refresh that was at work when the table was renamed publishes nothing', async () => {
  const table = await aTable('departing');
  await made.run('insert into base values (2, 100)');
  const {apply, found} = await lookUp(table);
  await alter(table, 'rename to departed');
  if (found.kind !== 'refresh') throw new Error(found.kind);
  await expect(publish(apply, found)).rejects.toMatchObject({code: 'unknown_dynamic_table'});
  await made.publish('main.departed');
  expect(await made.rows('(from departed) except (select k, sum(v) from base group by k)')).toEqual([]);
});

/** As the workflow does it, without the refresh that follows. */
async function replace(statement: string, deps: Deps = made.deps): Promise<void> {
  const signal = new AbortController().signal;
  const plan = await checkStatement(
    {...made.deps, signal},
    {statement: `create or replace dynamic table ${statement}`},
  );
  if (plan.replaces === undefined) throw new Error('nothing to replace');
  await replaceTable({...deps, signal}, {plan, replaces: plan.replaces});
}

test('a replaced table begins anew though nothing has changed, with the name it had and its history', async () => {
  const table = await aTable('replaced', undefined, "comment = 'old'");
  const before = await state('replaced');
  await replace(`REPLACED target_lag = '1 hour' as select k, sum(v) as s from base group by k`);
  expect(await state('replaced')).toMatchObject({
    ...{incarnation: before.incarnation, contents: before.contents, sources: [], fingerprint: null},
    definition: {table: {name: 'replaced'}, options: {comment: null, targetLag: {seconds: 3600}}},
  });
  expect(made.lags.get(table)).toBe('1 hour');
  expect(await made.rows(`select comment from duckdb_tables() where table_name = 'replaced'`)).toEqual([[null]]);
  expect(await made.choose(table)).toMatchObject({kind: 'refresh'});
  expect((await lookUp(table)).found).toMatchObject({forced: {action: 'REINITIALIZE'}});
  await made.publish(table);
  expect(await state('replaced')).toMatchObject({contents: before.contents + 1, rows: before.rows});
});

test('a table without sources is replaced like any other, also before its first refresh', async () => {
  await made.create(`create dynamic table bare target_lag = '1 day' initialize = on_schedule as select 1 as a`);
  for (const [query, rows] of [
    ['select 2 as b, 3 as c', [[2, 3]]],
    ['select 4 as d', [[4]]],
    ['select 5 as d', [[5]]],
  ] as const) {
    await replace(`bare target_lag = '1 day' as ${query}`);
    await made.publish('main.bare');
    expect(await made.rows('from bare')).toEqual(rows);
  }
});

test('a replacement that was cut off after the lake is ended by the next tick', async () => {
  const table = await aTable('succeeded');
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
  await made.publish(table);
  expect(await made.rows('from succeeded')).toEqual([[7]]);
});

test('a table is not replaced by one that would read itself', async () => {
  await aTable('lower');
  await made.create(`create dynamic table upper target_lag = downstream as select k, s from lower`);
  await expect(replace(`lower target_lag = downstream as select k, s from upper`)).rejects.toMatchObject({
    code: 'dependency_cycle',
  });
});
