import {expect, test, vi} from 'vitest';
import {allTables, findTable} from '../../src/metadata/dynamic-table.ts';
import {history} from '../../src/metadata/refresh.ts';
import {newestPublications} from '../../src/metadata/publication.ts';
import {chooseVersion} from '../../src/activities/choose-version.ts';
import {beginDrop} from '../../src/activities/drop.ts';
import {recordRefresh} from '../../src/activities/record-refresh.ts';
import {isLeftBehind} from '../../src/activities/unchanged.ts';
import {repairTables} from '../../src/activities/repair.ts';
import {someDeps} from '../support/deps.ts';

const totals = `create dynamic table totals target_lag = '1 minute' as select k, sum(v) as s from base group by k`;

test('a table without contents is to be refreshed, at the newest snapshot', async () => {
  await using made = await someDeps();
  await made.run('create table base as select 1 as k, 2 as v');
  await made.create(totals);
  expect(await made.choose('main.totals')).toEqual({
    kind: 'refresh',
    dataVersion: await made.snapshot(),
    upstreams: [],
    running: null,
    hasReaders: false,
  });
});

test('a commit elsewhere moves the version in the metadata, and writes nothing to the lake', async () => {
  await using made = await someDeps();
  await made.run('create table base as select 1 as k, 2 as v');
  await made.run('create table other as select 1 as x');
  await made.create(totals);
  const publication = await made.publish('main.totals');
  await made.run('insert into other values (2)');
  await made.run('create table yet_another as select 1 as x');
  const before = await made.snapshot();

  expect(await made.choose('main.totals')).toEqual({kind: 'no-data', dataVersion: before, publication});
  expect(await made.snapshot()).toBe(before);
  expect(await allTables(made.deps.metadata)).toMatchObject([{dataVersion: before}]);
  expect(await newestPublications(made.deps.metadata)).toMatchObject([
    {snapshot: publication.snapshot, untilVersion: before},
  ]);
  // For any version in between the contents are the same.
  expect(await made.choose('main.totals', {dataVersion: before - 1})).toMatchObject({kind: 'no-data', publication});
});

test('a table idle for a day moves on by its state row alone, so that nobody has to keep its old snapshots', async () => {
  await using made = await someDeps();
  await made.run('create table base as select 1 as k, 2 as v');
  await made.create(totals);
  const before = await made.publish('main.totals');
  await made.run('create table other as select 1 as x');
  const tomorrow = Date.now() + 25 * 3_600_000;
  vi.useFakeTimers({toFake: ['Date'], now: tomorrow});
  try {
    const v = await made.snapshot();
    expect(await made.choose('main.totals')).toMatchObject({kind: 'refresh', dataVersion: v});
    const after = await made.publish('main.totals');
    expect(after).toMatchObject({dataVersion: v, contents: before.contents, generation: before.generation + 1});
    expect(await made.rows('select * from totals')).toEqual([[1, '2']]);
  } finally {
    vi.useRealTimers();
  }
});

test.each([
  {behind: 'a thousand snapshots', snapshot: 5, v: 1005, hours: 1, expected: false},
  {behind: 'more snapshots than that', snapshot: 5, v: 1006, hours: 1, expected: true},
  {behind: 'a day', snapshot: 5, v: 6, hours: 25, expected: true},
  {behind: 'a day in which nothing at all was committed', snapshot: 5, v: 5, hours: 25, expected: false},
])('a table that lies $behind behind is left behind: $expected', ({snapshot, v, hours, expected}) => {
  const time = '2026-01-01T00:00:00Z';
  const source = {source: 'main.base', snapshot, time, rows: 1, upstream: null};
  const now = Date.parse(time) + hours * 3_600_000;
  expect(isLeftBehind({snapshot: snapshot + 1, sources: [source]}, v, now)).toBe(expected);
});

test('a change of a source, or of a view on the way to it, asks for a refresh', async () => {
  await using made = await someDeps();
  await made.run('create table base as select 1 as k, 2 as v');
  await made.run('create view seen as select k, v from base where v > 0');
  await made.create(`create dynamic table t target_lag = '1 minute' as select k, sum(v) as s from seen group by k`);
  await made.publish('main.t');
  expect(await made.choose('main.t')).toMatchObject({kind: 'no-data'});

  await made.run('create or replace view seen as select k, v from base where v > 1');
  expect(await made.choose('main.t')).toMatchObject({kind: 'refresh'});
  await made.publish('main.t');
  expect(await made.choose('main.t')).toMatchObject({kind: 'no-data'});

  await made.run('insert into base values (1, 5)');
  expect(await made.choose('main.t')).toMatchObject({kind: 'refresh'});
});

test('somebody who writes into the table is found out', async () => {
  await using made = await someDeps();
  await made.run('create table base as select 1 as k, 2 as v');
  await made.create(totals);
  await made.publish('main.totals');
  await made.run('delete from totals');
  expect(await made.choose('main.totals')).toMatchObject({kind: 'refresh'});
});

test('a change far below is seen through the tables between', async () => {
  await using made = await someDeps();
  await made.run('create table base as select 1 as k, 2 as v');
  await made.create(totals);
  await made.create('create dynamic table above target_lag = downstream as select count(*) as n from totals');
  await made.publish('main.above');
  expect(await made.choose('main.above')).toMatchObject({kind: 'no-data'});
  await made.run('insert into base values (3, 3)');
  expect(await made.choose('main.above')).toMatchObject({kind: 'refresh', upstreams: ['main.totals']});

  // The table below is refreshed by somebody else: along the edge its contents are others than the ones consumed.
  await made.publish('main.totals');
  expect(await made.choose('main.above')).toMatchObject({kind: 'refresh'});
});

test('a view that was replaced takes the graph with it: what is read now is refreshed first, what is not may go, and nothing reads itself', async () => {
  await using made = await someDeps();
  await made.run('create table base as select 1 as k, 2 as v');
  await made.create(totals);
  await made.create(`create dynamic table most target_lag = downstream as select k, max(v) as s from base group by k`);
  await made.run('create view figures as select k, s from totals');
  const reader = await made.create(`create dynamic table reader target_lag = '1 minute' as select k, s from figures`);
  await made.publish(reader);
  const sources = async () => (await findTable(made.deps.metadata, reader))?.sources;
  expect(await sources()).toEqual(['main.totals']);

  await made.run('insert into base values (1, 5)');
  await made.run('create or replace view figures as select k, s from most');
  await made.publish(reader);
  expect(await sources()).toEqual(['main.most']);
  expect(await made.rows('from reader')).toEqual([[1, 5]]);
  const drop = (table: string) => beginDrop(made.deps, {table});
  await expect(drop('most')).rejects.toMatchObject({code: 'has_readers'});
  expect(await drop('totals')).toMatchObject({table: 'main.totals'});

  await made.run('create or replace view figures as select k, s + 1 as s from reader');
  await expect(made.publish(reader)).rejects.toMatchObject({code: 'source_changed'});
  expect(await sources()).toEqual(['main.most']);
});

test('ticks of one nominal time read one snapshot, whoever comes later', async () => {
  await using made = await someDeps();
  await made.run('create table base as select 1 as k, 2 as v');
  await made.create(totals);
  await made.create(totals.replace('totals', 'others'));
  const tick = {scheduledTime: '2026-01-01T00:00:05.000Z', trigger: 'schedule' as const};
  const first = await made.choose('main.totals', tick);
  await made.run('insert into base values (3, 3)');
  expect((await made.choose('main.others', tick)).dataVersion).toBe(first.dataVersion);
  expect((await made.choose('main.others')).dataVersion).toBe(await made.snapshot());
});

test('a table past the version: a root has nothing to do, a child reads the contents of that version or says ahead', async () => {
  await using made = await someDeps();
  await made.run('create table base as select 1 as k, 2 as v');
  await made.create(totals);
  const first = await made.publish('main.totals');
  await made.choose('main.totals');
  await made.run('insert into base values (3, 3)');
  const between = await made.snapshot();
  await made.run('insert into base values (4, 4)');
  const second = await made.publish('main.totals');

  const rung = {scheduledTime: '2026-01-01T00:00:05.000Z', trigger: 'schedule' as const};
  await made.deps.metadata.query('insert into freshet.rung values ($1, $2)', [rung.scheduledTime, between]);
  expect(await made.choose('main.totals', rung)).toMatchObject({kind: 'no-data', publication: second});
  expect(await made.choose('main.totals', {dataVersion: first.dataVersion})).toMatchObject({
    kind: 'no-data',
    publication: first,
  });
  expect(await made.choose('main.totals', {dataVersion: between})).toEqual({
    kind: 'ahead',
    dataVersion: second.dataVersion,
  });
});

test('a root goes at least as far as the tables below that have no contents for its version', async () => {
  await using made = await someDeps();
  await made.run('create table base as select 1 as k, 2 as v');
  await made.create(totals);
  await made.create('create dynamic table above target_lag = downstream as select count(*) as n from totals');
  const rung = {scheduledTime: '2026-01-01T00:00:05.000Z', trigger: 'schedule' as const};
  await made.deps.metadata.query('insert into freshet.rung values ($1, $2)', [
    rung.scheduledTime,
    await made.snapshot(),
  ]);
  await made.run('insert into base values (3, 3)');
  const {dataVersion} = await made.publish('main.totals');
  expect(await made.choose('main.above', rung)).toMatchObject({kind: 'refresh', dataVersion});
});

test('a publication that its run did not record is put down by the next run', async () => {
  await using made = await someDeps();
  await made.run('create table base as select 1 as k, 2 as v');
  await made.create(totals);
  const publication = await made.publish('main.totals');
  expect(await newestPublications(made.deps.metadata)).toEqual([]);

  await made.choose('main.totals');
  expect(await newestPublications(made.deps.metadata)).toMatchObject([publication]);
  expect(await history(made.deps.metadata, 'main.totals', 5)).toMatchObject([
    {action: 'NO_DATA'},
    {action: 'INITIAL', dataVersion: publication.dataVersion, rows: 1},
  ]);
});

test('a refresh whose history can not be written leaves nothing in the metadata, and the next run puts down all of it', async () => {
  await using made = await someDeps();
  const {metadata} = made.deps;
  await made.run('create table base as select 1 as k, 2 as v');
  await made.create(totals);
  const publication = await made.publish('main.totals');
  const now = new Date().toISOString();
  const summary = {
    ...({action: 'INITIAL', reason: null, sources: [], changedRows: 1, affectedKeys: 0, ratio: null} as const),
    ...({rowsDeleted: 0, rowsInserted: 1, recomputed: 'all', rowsScanned: 1, rows: 1, phases: {}} as const),
  };
  const record = {
    ...({table: 'main.totals', trigger: 'manual', refreshId: 'apply-1', publication, summary, statements: []} as const),
    ...{freshAt: now, startedAt: now, run: {workflowId: 'run', runId: 'run-1'}},
  };
  await metadata.query('alter table freshet.refresh rename to elsewhere');
  await expect(recordRefresh(made.deps, record)).rejects.toThrow('freshet.refresh');
  expect(await newestPublications(metadata)).toEqual([]);
  expect(await allTables(metadata)).toMatchObject([{dataVersion: null}]);

  await metadata.query('alter table freshet.elsewhere rename to refresh');
  await made.choose('main.totals');
  expect(await newestPublications(metadata)).toMatchObject([publication]);
  expect(await history(metadata, 'main.totals', 5)).toMatchObject([{action: 'NO_DATA'}, {action: 'INITIAL'}]);
});

test('metadata that are lost are made again from the lake alone', async () => {
  await using made = await someDeps();
  await made.run('create table base as select 1 as k, 2 as v');
  await made.create(totals);
  await made.create('create dynamic table above target_lag = downstream as select count(*) as n from totals');
  await made.publish('main.above');
  await made.choose('main.above');
  const before = await allTables(made.deps.metadata);
  await made.deps.metadata.query('truncate freshet.dynamic_table cascade');

  expect(await made.choose('main.above')).toMatchObject({kind: 'no-data'});
  const known = ({name, incarnation, definition, columns, sources, mode}: (typeof before)[number]) => ({
    ...{name, incarnation, definition, columns, sources, mode},
  });
  expect((await allTables(made.deps.metadata)).map(known)).toEqual(before.map(known));
  await repairTables(made.deps);
});

test('a name is found in any case, as DuckDB does, and goes on as it was created', async () => {
  await using made = await someDeps();
  await made.run('create table base as select 1 as k, 2 as v');
  await made.create(totals.replace('totals', '"Totals"'));
  const input = {dataVersion: null, freshAt: null, scheduledTime: null, full: false, trigger: 'manual'} as const;
  const chosen = await chooseVersion(made.deps, {...input, table: 'main.totals', run: {workflowId: 'w', runId: 'r'}});
  expect(chosen).toMatchObject({table: 'main."Totals"', choice: {kind: 'refresh'}});
});

test('an unknown table is an error that names the one that was meant', async () => {
  await using made = await someDeps();
  await made.run('create table base as select 1 as k, 2 as v');
  await made.create(totals);
  await expect(made.choose('main.total')).rejects.toMatchObject({
    code: 'unknown_dynamic_table',
    hint: 'Did you mean "main.totals"?',
  });
});
