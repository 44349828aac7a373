import {randomUUID} from 'node:crypto';
import {expect, test, vi} from 'vitest';
import {failureOf} from '../../src/activities/failures.ts';
import {defaultSettings} from '../../src/definition/definition.ts';
import {inTransaction, openMetadata, rows} from '../../src/metadata/database.ts';
import {findTable, insertTable, moveTable} from '../../src/metadata/dynamic-table.ts';
import {checkSchemaVersion, migrate} from '../../src/metadata/migrate.ts';
import {extendPublication, newestPublications, publicationAt, savePublication} from '../../src/metadata/publication.ts';
import {
  countNoData,
  history,
  insertMissingRefresh,
  insertRefresh,
  lastRefreshes,
  type NewRefresh,
} from '../../src/metadata/refresh.ts';
import {chooseRung} from '../../src/metadata/rung.ts';
import {findVerification, insertVerification} from '../../src/metadata/verification.ts';
import {aLossyProxy} from '../support/lossy-proxy.ts';
import {someMetadata} from '../support/metadata.ts';
import {aDatabase} from '../support/servers.ts';
import {dump} from '../support/dump.ts';

test('ten starters at once migrate once', async () => {
  await using database = await aDatabase();
  const starters = Array.from({length: 10}, () => openMetadata(database.url));
  await Promise.all(starters.map(migrate));
  await Promise.all(starters.map(checkSchemaVersion));
  await Promise.all(starters.map((each) => each.end()));
});

test('what the migrations amount to is in schema.sql', async () => {
  await using made = await someMetadata();
  await expect(await dump(made.metadata)).toMatchFileSnapshot('schema.sql');
});

test('metadata that was never migrated is refused, with what to do', async () => {
  await using database = await aDatabase();
  const metadata = openMetadata(database.url);
  await expect(checkSchemaVersion(metadata)).rejects.toMatchObject({code: 'schema_version'});
  await metadata.end();
});

test('metadata of a newer Freshet is refused, by migrate too', async () => {
  await using made = await someMetadata();
  await made.metadata.query('insert into freshet.migration (number) values (999)');
  await expect(checkSchemaVersion(made.metadata)).rejects.toMatchObject({code: 'schema_version'});
  await expect(migrate(made.metadata)).rejects.toMatchObject({code: 'schema_version'});
});

test('a PostgreSQL that hangs fails query and transaction after a minute, as temporary, and holds no connection', async () => {
  await using made = await someMetadata();
  await using proxy = await aLossyProxy(made.url);
  const metadata = openMetadata(proxy.url);
  await Promise.all([metadata.query('select 1'), metadata.query('select 1')]);
  proxy.freeze();
  vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout']});
  const asked = [findTable(metadata, 'main.totals'), inTransaction(metadata, () => Promise.resolve())];
  const failures = Promise.all(asked.map((answer) => answer.catch((error: unknown) => failureOf(error, String))));
  // The pool hands out its connections only now.
  await new Promise(setImmediate);
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
  expect(await failures).toMatchObject(Array(2).fill({type: 'unavailable', nonRetryable: false}));
  expect(metadata.totalCount).toBe(0);

  proxy.thaw();
  expect(await findTable(metadata, 'main.totals')).toBeNull();
  await metadata.end();
});

test('a connection that is cut off within a transaction fails it, as temporary, and the next one gets another', async () => {
  await using made = await someMetadata();
  const {metadata} = made;
  const failure = await inTransaction(metadata, async (client) => {
    const [own] = await rows<{pid: number}>(client, 'select pg_backend_pid() as pid');
    await metadata.query('select pg_terminate_backend($1, 10000)', [own?.pid]);
    await client.query('select 1');
  }).catch((error: unknown) => failureOf(error, String));
  expect(failure).toMatchObject({type: 'unavailable', nonRetryable: false});
  expect(await inTransaction(metadata, (client) => findTable(client, 'main.totals'))).toBeNull();
});

test('a name is taken once, and a data version never moves back', async () => {
  await using made = await someMetadata();
  const table = aTable('main.totals');
  expect(await insertTable(made.metadata, table)).toBe(true);
  expect(await insertTable(made.metadata, aTable('main.totals'))).toBe(false);

  await moveTable(made.metadata, table.name, table.incarnation, {
    dataVersion: 7,
    freshAt: '2026-01-01T00:00:07Z',
    rows: 3,
  });
  await moveTable(made.metadata, table.name, table.incarnation, {
    dataVersion: 5,
    freshAt: '2026-01-01T00:00:09Z',
    rows: 2,
  });
  expect(await findTable(made.metadata, 'main.totals')).toMatchObject({
    ...table,
    dataVersion: 7,
    freshAt: '2026-01-01T00:00:07.000Z',
    rows: 3,
  });
});

test('a rung is what the first of many proposes', async () => {
  await using made = await someMetadata();
  const rungs = await Promise.all(
    [3, 4, 5, 6].map((version) => chooseRung(made.metadata, '2026-01-01T00:00:05Z', version)),
  );
  expect(new Set(rungs.map((rung) => rung.dataVersion)).size).toBe(1);
  expect((await chooseRung(made.metadata, '2026-01-01T00:00:10Z', 9)).dataVersion).toBe(9);
});

test('a publication answers for the versions up to which nothing changed, and gives way to a higher generation only', async () => {
  await using made = await someMetadata();
  const {metadata} = made;
  const table = aTable('main.totals');
  await insertTable(metadata, table);
  const {incarnation, name} = table;
  const first = {snapshot: 11, incarnation, generation: 1, contents: 1, dataVersion: 10, rows: 4};
  await savePublication(metadata, name, first);
  await extendPublication(metadata, name, first, 14);

  expect(await publicationAt(metadata, name, incarnation, 12)).toMatchObject({snapshot: 11, untilVersion: 14});
  expect(await publicationAt(metadata, name, incarnation, 15)).toBeNull();
  expect(await publicationAt(metadata, name, incarnation, 9)).toBeNull();

  await savePublication(metadata, name, {...first, snapshot: 9, generation: 0});
  expect(await publicationAt(metadata, name, incarnation, 10)).toMatchObject({snapshot: 11});
  await savePublication(metadata, name, {...first, snapshot: 20, generation: 3, contents: 2});
  expect(await publicationAt(metadata, name, incarnation, 10)).toMatchObject({snapshot: 20, untilVersion: 10});
  expect(await newestPublications(metadata)).toMatchObject([{table: name, snapshot: 20}]);
});

test('the publication of a table that is gone is not put down', async () => {
  await using made = await someMetadata();
  const publication = {snapshot: 11, incarnation: randomUUID(), generation: 1, contents: 1, dataVersion: 10, rows: 4};
  await savePublication(made.metadata, 'main.gone', publication);
  expect(await newestPublications(made.metadata)).toEqual([]);
});

test('a refresh is put down once, and ticks with nothing new are one row with a count', async () => {
  await using made = await someMetadata();
  const {metadata} = made;
  const refresh = aRefresh({refreshId: 'apply-1', runId: 'run-1', action: 'INCREMENTAL'});
  await insertRefresh(metadata, refresh);
  await insertRefresh(metadata, refresh);
  const tick = aRefresh({
    refreshId: null,
    runId: 'run-2',
    action: 'NO_DATA',
    trigger: 'schedule',
    incarnation: refresh.incarnation,
  });
  const count = (entry: NewRefresh) => inTransaction(metadata, (client) => countNoData(client, entry));
  await count(tick);
  await count(tick);
  await count({...tick, runId: 'run-3', dataVersion: 12});

  const entries = await history(metadata, 'main.totals', 10);
  expect(entries).toMatchObject([
    {action: 'NO_DATA', ticks: 2, dataVersion: 12, runId: 'run-3'},
    {action: 'INCREMENTAL', ticks: 1, phases: {publish: 12.5}, sources: refresh.sources},
  ]);
  expect(await lastRefreshes(metadata)).toMatchObject([{id: entries[0]?.id}]);
});

test('the rows in which a table differs from its query are kept', async () => {
  await using made = await someMetadata();
  const verification = {
    table: 'main.totals',
    incarnation: randomUUID(),
    verdict: 'different' as const,
    dataVersion: 4,
    snapshot: 5,
    rows: 2,
    missing: 1,
    unexpected: 0,
    note: null,
    columns: ['region', 'total'],
    differences: [{side: 'missing' as const, count: 1, values: ['eu', null]}],
    milliseconds: 3.5,
  };
  const id = await insertVerification(made.metadata, verification);
  expect(await findVerification(made.metadata, id)).toMatchObject({...verification, id});
});

test('a refresh without a row that was put down from the lake before its own run came to it is counted once', async () => {
  await using made = await someMetadata();
  const {metadata} = made;
  const refresh = aRefresh({action: 'NO_DATA', refreshId: 'apply-1'});
  await insertMissingRefresh(metadata, refresh);
  await inTransaction(metadata, (client) => countNoData(client, refresh));
  expect(await history(metadata, 'main.totals', 10)).toHaveLength(1);
});

function aTable(name: string) {
  return {
    name,
    incarnation: randomUUID(),
    createdBy: 'create',
    state: 'active' as const,
    definition: {
      table: {schema: 'main', name: 'totals'},
      query: 'select 1 as one',
      options: {
        targetLag: {kind: 'downstream' as const},
        refreshMode: 'AUTO' as const,
        initialize: 'ON_CREATE' as const,
        cardinalityThreshold: 0.3,
        comment: null,
      },
      settings: defaultSettings,
      reached: [],
      distrust: null,
    },
    columns: [{name: 'one', type: 'INTEGER'}],
    sources: ['main.orders'],
    mode: 'full' as const,
    reasons: ['REFRESH_MODE = FULL'],
  };
}

function aRefresh(changes: Partial<NewRefresh>): NewRefresh {
  return {
    table: 'main.totals',
    incarnation: randomUUID(),
    refreshId: null,
    trigger: 'manual',
    action: 'INCREMENTAL',
    reason: null,
    dataVersion: 10,
    sources: [{source: 'main.orders', from: 4, to: 10, changedRows: 2}],
    changedRows: 2,
    affectedKeys: 1,
    ratio: 0.1,
    rowsDeleted: 1,
    rowsInserted: 1,
    recomputed: 'keys',
    rowsScanned: 5,
    rows: 3,
    phases: {publish: 12.5},
    statements: [],
    shareOutsideSql: 0.5,
    workflowId: 'w',
    runId: 'r',
    errorCode: null,
    error: null,
    startedAt: '2026-01-01T00:00:00.000Z',
    ...changes,
  };
}
