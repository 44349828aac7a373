import {randomUUID} from 'node:crypto';
import {expect, test} from 'vitest';
import type {Deps} from '../../src/activities/deps.ts';
import {noticeLag} from '../../src/activities/notice-lag.ts';
import {recordFailure} from '../../src/activities/record-refresh.ts';
import {resumeTable} from '../../src/activities/resume.ts';
import {defaultSettings} from '../../src/definition/definition.ts';
import type {ErrorCode} from '../../src/errors.ts';
import {inTransaction} from '../../src/metadata/database.ts';
import {
  findTable,
  insertTable,
  mostFailuresInARow,
  moveTable,
  type TableRow,
  liftSuspension,
} from '../../src/metadata/dynamic-table.ts';
import {countNoData, history, unknownRefresh} from '../../src/metadata/refresh.ts';
import type {Trigger} from '../../src/refresh/action.ts';
import type {Alert} from '../../src/workflows/messages.ts';
import {someDeps} from '../support/deps.ts';
import {someMetadata} from '../support/metadata.ts';

type Run = {readonly trigger?: Trigger; readonly code?: ErrorCode; readonly runId?: string};

/** A table that is in the metadata alone: all that its failures need. */
async function aTable() {
  const made = await someMetadata();
  const {metadata} = made;
  const paused = new Map<string, string>();
  const alerts: Alert[] = [];
  const deps: Omit<Deps, 'lake' | 'temporal'> = {
    metadata,
    schedules: {
      create: () => Promise.resolve(),
      change: () => Promise.resolve(),
      rename: () => Promise.resolve(),
      delete: () => Promise.resolve(),
      pause: (table, note) => Promise.resolve(void paused.set(table, note)),
      noteOfPause: (table) => Promise.resolve(paused.get(table) ?? null),
      resume: ({table}) => Promise.resolve(paused.delete(table)),
    },
    alerts: {raise: (alert) => Promise.resolve(void alerts.push(alert)), post: () => Promise.resolve()},
    site: {prefix: '', computeTaskQueue: 'none', heartbeatSeconds: 10},
    scrub: (text) => text.replaceAll('s3cret', '***'),
  };
  const options = {
    targetLag: {kind: 'seconds', seconds: 3600},
    ...({refreshMode: 'AUTO', initialize: 'ON_CREATE', cardinalityThreshold: 0.3, comment: null} as const),
  } as const;
  const definition = {table: {schema: 'main', name: 'totals'}, query: 'select 1', options, settings: defaultSettings};
  await insertTable(metadata, {
    ...{name: 'main.totals', incarnation: randomUUID(), createdBy: '', state: 'active', columns: [], sources: []},
    ...{definition: {...definition, reached: [], distrust: null}, mode: 'incremental', reasons: []},
  });
  const row = async (name: string): Promise<TableRow> => {
    const found = await findTable(metadata, name);
    if (found === null) throw new Error(`${name} is gone`);
    return found;
  };
  const fail = async (
    table: string,
    {trigger = 'schedule', code = 'data_error', runId = randomUUID()}: Run = {},
    metadata = deps.metadata,
  ) => {
    const facts = {dataVersion: null, message: 'no s3cret', startedAt: new Date().toISOString()};
    await recordFailure(
      {...deps, metadata},
      {table, trigger, code, ...facts, run: {workflowId: `run-${runId}`, runId}},
    );
  };
  return {...made, deps, paused, alerts, row, fail};
}

test('the fifth scheduled failure in a row suspends a table, and says so in its schedule and history', async () => {
  await using made = await aTable();
  for (let i = 1; i < mostFailuresInARow; i++) await made.fail('main.totals');
  expect(await made.row('main.totals')).toMatchObject({failuresInARow: 4, suspension: null});
  expect(made.paused.size).toBe(0);

  const runId = randomUUID();
  await made.fail('main.TOTALS', {runId});
  expect(await made.row('main.totals')).toMatchObject({
    failuresInARow: 5,
    suspension: {kind: 'failures', code: 'data_error', error: 'no ***', runId},
  });
  expect(made.paused.get('main.totals')).toBe(
    'Suspended after 5 failed refreshes in a row (data_error): no ***\nfreshet resume main.totals',
  );
  const entries = await history(made.metadata, 'main.totals', 10);
  expect(entries.map(({hasSuspended}) => hasSuspended)).toEqual([true, false, false, false, false]);
  expect(made.alerts.map(({kind}) => kind)).toEqual([...Array<string>(5).fill('failure'), 'suspension']);
  expect(made.alerts.at(-1)).toMatchObject({
    ...{table: 'main.totals', runId, trigger: 'schedule', failuresInARow: 5, error: 'no ***'},
    message: 'main.totals is suspended after 5 failed refreshes in a row: no ***',
  });
});

test('a failure that is put down twice is one entry and counts once, and its alerts have the same ids', async () => {
  await using made = await aTable();
  for (let i = 1; i < mostFailuresInARow; i++) await made.fail('main.totals');
  const runId = randomUUID();
  await Promise.all([made.fail('main.totals', {runId}), made.fail('main.totals', {runId})]);
  // As if that attempt had died before it came to the schedule.
  made.paused.clear();
  await made.fail('main.totals', {runId});
  expect(await made.row('main.totals')).toMatchObject({failuresInARow: 5, suspension: {runId}});
  expect(await history(made.metadata, 'main.totals', 10)).toHaveLength(5);
  expect(made.paused.has('main.totals')).toBe(true);
  expect(new Set(made.alerts.map(({id}) => id)).size).toBe(6);
});

test('that PostgreSQL is away is told all the same', async () => {
  await using made = await aTable();
  const runId = randomUUID();
  await using away = await someMetadata();
  await away.metadata.query('drop schema freshet cascade');
  await expect(made.fail('main.totals', {code: 'unavailable', runId}, away.metadata)).rejects.toThrow();
  expect(made.alerts).toMatchObject([{kind: 'failure', code: 'unavailable', failuresInARow: null, runId}]);
});

test.each<[string, Run, readonly string[]]>([
  ['that somebody started by hand', {trigger: 'manual'}, ['failure']],
  ['that a reader started', {trigger: 'upstream'}, []],
  ['that was cancelled', {code: 'cancelled'}, []],
  ['of servers that could not be reached', {code: 'unavailable'}, ['failure']],
  ['that made way for others', {code: 'superseded'}, ['failure']],
])('a run %s does not count', async (_, run, alerts) => {
  await using made = await aTable();
  for (let i = 0; i < mostFailuresInARow; i++) await made.fail('main.totals', run);
  expect(await made.row('main.totals')).toMatchObject({failuresInARow: 0, suspension: null});
  expect([...new Set(made.alerts.map(({kind}) => kind))]).toEqual(alerts);
  expect(await history(made.metadata, 'main.totals', 10)).toHaveLength(5);
});

test('a success resets the count; a suspension stays until it is lifted', async () => {
  await using made = await aTable();
  const {incarnation} = await made.row('main.totals');
  const succeed = (dataVersion: number) =>
    moveTable(made.metadata, 'main.totals', incarnation, {dataVersion, freshAt: new Date().toISOString(), rows: 1});
  for (let i = 1; i < mostFailuresInARow; i++) await made.fail('main.totals');
  await succeed(1);
  expect(await made.row('main.totals')).toMatchObject({failuresInARow: 0});
  for (let i = 0; i < mostFailuresInARow; i++) await made.fail('main.totals');
  await succeed(2);
  expect(await made.row('main.totals')).toMatchObject({failuresInARow: 0, suspension: {code: 'data_error'}});
});

test('a success after a failure is the newest entry of the history, also when it moved no row', async () => {
  await using made = await aTable();
  const {incarnation} = await made.row('main.totals');
  const succeed = () =>
    inTransaction(made.metadata, (client) =>
      countNoData(client, {
        ...{...unknownRefresh, table: 'main.totals', incarnation, trigger: 'schedule', action: 'NO_DATA'},
        ...{startedAt: new Date().toISOString(), workflowId: 'run', runId: randomUUID()},
      }),
    );
  await succeed();
  await made.fail('main.totals');
  await succeed();
  const entries = await history(made.metadata, 'main.totals', 10);
  expect(entries.map(({action, errorCode}) => action ?? errorCode)).toEqual(['NO_DATA', 'data_error', 'NO_DATA']);
});

test('contents older than the target lag are one alert until a scheduled run finds them fresh', async () => {
  await using made = await aTable();
  const {incarnation} = await made.row('main.totals');
  const tick = async (hoursOld: number) => {
    const freshAt = new Date(Date.now() - hoursOld * 3_600_000).toISOString();
    await made.metadata.query('update freshet.dynamic_table set fresh_at = $2 where incarnation = $1', [
      incarnation,
      freshAt,
    ]);
    await noticeLag(made.deps, await made.row('main.totals'));
  };
  await noticeLag(made.deps, await made.row('main.totals'));
  await tick(0.5);
  expect(made.alerts).toEqual([]);
  await tick(2);
  await tick(1.5);
  expect(made.alerts).toMatchObject([
    {
      ...{kind: 'missed_lag', table: 'main.totals', targetLagSeconds: 3600, lagSeconds: 7200},
      message: 'main.totals is 7200 seconds old; its target lag is 1 hour.',
    },
    {kind: 'missed_lag', id: made.alerts[0]?.id},
  ]);
  await tick(0.5);
  expect(await made.row('main.totals')).toMatchObject({lagMissedAt: null});
  await tick(2);
  expect(made.alerts[2]?.id).not.toBe(made.alerts[0]?.id);

  // Just resumed, it has had no time to catch up.
  await liftSuspension(made.metadata, incarnation);
  await tick(2);
  expect(made.alerts).toHaveLength(3);
  await made.metadata.query(
    `update freshet.dynamic_table set lag_counted_from = lag_counted_from - interval '2 hours'`,
  );
  await tick(3);
  expect(made.alerts).toHaveLength(4);
});

test('of a suspended table scheduled runs do nothing, all others what they always do; resume lifts it, and its readers', async () => {
  await using made = await someDeps();
  await made.run('create table base as select 1 as v');
  const create = (name: string, query: string) =>
    made.create(`create dynamic table ${name} target_lag = '1 day' as ${query}`);
  const table = await create('totals', 'select sum(v) as s from base');
  const reader = await create('reader', 'select s from totals');
  const other = await create('other', 'select v from base');
  await made.publish(reader);
  await made.choose(reader);
  const fail = (name: string) =>
    recordFailure(made.deps, {
      ...{table: name, trigger: 'schedule', code: 'data_error', dataVersion: null, message: 'no'},
      ...{startedAt: new Date().toISOString(), run: {workflowId: 'run', runId: randomUUID()}},
    });
  for (const each of [table, reader, other]) for (let i = 0; i < mostFailuresInARow; i++) await fail(each);

  const {dataVersion} = (await findTable(made.deps.metadata, table)) ?? {};
  await made.run('insert into base values (2)');
  const tick = {trigger: 'schedule', scheduledTime: new Date().toISOString()} as const;
  expect(await made.choose(table, tick)).toEqual({kind: 'suspended', dataVersion});
  expect(await made.choose(other, tick)).toEqual({kind: 'suspended', dataVersion: 0});
  expect(await made.choose(table, {trigger: 'manual'})).toMatchObject({kind: 'refresh'});
  expect(await made.choose(table, {trigger: 'upstream'})).toMatchObject({kind: 'refresh'});

  const taskQueue = 'none';
  expect(await resumeTable(made.deps, {table: 'MAIN.Totals', taskQueue})).toEqual({
    table,
    outcome: 'resumed',
    readers: [reader],
    suspendedUpstream: null,
  });
  expect([...made.paused.keys()]).toEqual([other]);
  expect(await made.choose(table, tick)).toMatchObject({kind: 'refresh'});
  expect(await made.choose(reader, tick)).toMatchObject({kind: 'refresh'});
  expect(await made.choose(other, tick)).toMatchObject({kind: 'suspended'});
  expect(await resumeTable(made.deps, {table, taskQueue})).toMatchObject({table, outcome: 'active', readers: []});
  await expect(resumeTable(made.deps, {table: 'main.totls', taskQueue})).rejects.toMatchObject({
    code: 'unknown_dynamic_table',
  });
});
