import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {DuckDBConnection} from '@duckdb/node-api';
import {expect, test, vi} from 'vitest';
import {openPlainSql} from '../../src/cli/plain-sql.ts';
import {defaultSettings} from '../../src/definition/definition.ts';
import {currentSnapshot} from '../../src/lake/catalog.ts';
import {readCatalogUrl} from '../../src/lake/catalog-url.ts';
import {classify, isLakeError} from '../../src/lake/errors.ts';
import {openLake} from '../../src/lake/lake.ts';
import {binderOptimizersOff} from '../../src/lake/optimizers.ts';
import {openSession, type Patience} from '../../src/lake/session.ts';
import {literal, raw, sql} from '../../src/sql.ts';
import {aLake} from '../support/lake.ts';
import {aDatabase} from '../support/servers.ts';

test('values come out as plain JSON', async () => {
  await using lake = await aLake();
  const rows = await lake.lake.look((session) =>
    session.rows(
      raw(`SELECT 5::BIGINT AS big, 6::HUGEINT AS huge, 1.50::DECIMAL(10,2) AS price, DATE '2020-01-02' AS day,
      TIMESTAMP '2020-01-02 03:04:05.000006' AS local, TIMESTAMPTZ '2020-01-02 03:04:05.000006+02' AS time,
      [1::BIGINT, NULL] AS list, {a: 2::BIGINT} AS struct, true AS yes, NULL AS none, INTERVAL 1 MONTH AS span`),
    ),
  );
  expect(rows).toEqual([
    {
      big: 5,
      huge: 6,
      price: '1.50',
      day: '2020-01-02',
      local: '2020-01-02T03:04:05.000006',
      time: '2020-01-02T01:04:05.000006Z',
      list: [1, null],
      struct: {a: 2},
      yes: true,
      none: null,
      span: '1 month',
    },
  ]);
  const tooLarge = lake.lake.look((session) => session.rows(raw(`SELECT 9007199254740993 AS n`)));
  await expect(tooLarge).rejects.toThrow('9007199254740993 is too large for a number');
});

test('after any error of a statement a transaction is rolled back, also when the error was caught', async () => {
  await using lake = await aLake();
  await lake.run(`CREATE TABLE t (k INTEGER)`);
  // DuckDB itself publishes what came before an error of binding, and says OK.
  await lake.run('BEGIN');
  await lake.run(`INSERT INTO t VALUES (1)`);
  await expect(lake.run(`INSERT INTO t SELECT nowhere FROM t`)).rejects.toThrow('Binder Error');
  await lake.run('COMMIT');
  expect(await lake.rows(`SELECT * FROM t`)).toEqual([[1]]);

  for (const wrong of ['INSERT INTO freshet_lake.main.t SELECT nowhere', `SELECT 'a'::INTEGER`, 'SELEKT 1']) {
    const work = lake.lake.compute(defaultSettings, (session) =>
      session.transaction(async () => {
        await session.run(sql`INSERT INTO freshet_lake.main.t VALUES (2)`);
        await session.run(raw(wrong)).catch(() => undefined);
      }),
    );
    await expect(work).rejects.toThrow('Error');
  }
  expect(await lake.rows(`SELECT * FROM t`)).toEqual([[1]]);
});

test('an aborted signal ends a long statement, rolls back and gives its reason', async () => {
  await using lake = await aLake();
  await lake.run(`CREATE TABLE t (k INTEGER)`);
  const cancel = new AbortController();
  const work = lake.lake.compute(
    defaultSettings,
    (session) =>
      session.transaction(async () => {
        await session.run(sql`INSERT INTO freshet_lake.main.t VALUES (1)`);
        setImmediate(() => cancel.abort(new Error('not wanted any more')));
        await session.run(sql`CREATE TEMP TABLE long AS SELECT a.range FROM range(100000000) AS a, range(1000) AS b`);
      }),
    cancel.signal,
  );
  await expect(work).rejects.toThrow('not wanted any more');
  await expect(lake.lake.look(() => Promise.resolve(1), cancel.signal)).resolves.toBe(1);
  await expect(lake.lake.look((session) => session.rows(sql`SELECT 1`), cancel.signal)).rejects.toThrow(
    'not wanted any more',
  );
  expect(await lake.rows(`SELECT * FROM t`)).toEqual([]);
});

test('an instance is alone with one refresh, and what that attached is gone afterwards', async () => {
  await using lake = await aLake({computeSlots: 1});
  let inside = 0;
  let most = 0;
  const use = (): Promise<void> =>
    lake.lake.compute(defaultSettings, async (session) => {
      most = Math.max(most, ++inside);
      await session.run(sql`ATTACH ':memory:' AS lake`);
      await session.run(sql`CREATE VIEW lake.main.v AS SELECT 1`);
      await session.run(sql`CREATE TEMP TABLE staged (k INTEGER)`);
      inside--;
    });
  await Promise.all([use(), use(), use()]);
  expect(most).toBe(1);
});

test('a query is evaluated under its own settings', async () => {
  await using lake = await aLake();
  const settings = {
    ...defaultSettings,
    timeZone: 'America/New_York',
    integerDivision: true,
    defaultNullOrder: 'NULLS_FIRST',
  };
  const question = raw(
    `SELECT TIMESTAMPTZ '2020-01-01 00:00:00Z'::VARCHAR AS time, 3 / 2 AS half, current_setting('default_null_order') AS nulls`,
  );
  const ask = (query: typeof settings): Promise<unknown> =>
    lake.lake.compute(query, (session) => session.rows(question));
  expect(await ask(settings)).toEqual([{time: '2019-12-31 19:00:00-05', half: 1, nulls: 'NULLS_FIRST'}]);
  expect(await ask(defaultSettings)).toEqual([{time: '2020-01-01 00:00:00+00', half: 1.5, nulls: 'NULLS_LAST'}]);
});

test('statements reach the files of the lake and of staging, and no others', async () => {
  await using lake = await aLake();
  const outside = path.join(path.dirname(lake.options.dataPath), 'secret.csv');
  await writeFile(outside, 'a,b\n1,2\n');
  const open = lake.lake.compute(defaultSettings, (session) =>
    session.rows(sql`SELECT * FROM read_csv(${literal(outside)})`),
  );
  await expect(open).rejects.toThrow('disabled by configuration');
  const settings = lake.lake.compute(defaultSettings, (session) => session.run(sql`SET enable_external_access = true`));
  await expect(settings).rejects.toThrow('Cannot');
});

test('plans of the binder depend on the query alone: all rules but one are off', async () => {
  await using lake = await aLake();
  const rules = await lake.lake.bind(defaultSettings, (session) =>
    session.rows<{name: string}>(sql`SELECT name FROM duckdb_optimizers() ORDER BY name`),
  );
  expect(rules.map(({name}) => name).filter((name) => name !== 'filter_pushdown')).toEqual(binderOptimizersOff);
});

test('no error tells the password of the catalog', async () => {
  await using lake = await aLake();
  const url = new URL(lake.options.catalog);
  const wrong = (change: (url: URL) => void): string => {
    const other = new URL(url);
    other.password = 'pass word/5';
    change(other);
    return other.href;
  };
  const keyValue = `postgres:host=${url.hostname} port=${url.port} user=${url.username} password='pass word/5' dbname=x`;
  for (const catalog of [wrong(() => undefined), wrong((other) => (other.port = '1')), keyValue]) {
    const other = openLake({...lake.options, catalog});
    const failure = await other.look((session) => session.rows(sql`SELECT 1`)).catch((error: unknown) => error);
    other.close();
    expect(isLakeError(failure, 'connection')).toBe(true);
    expect(String(failure)).not.toMatch(/pass word|pass%20word/);
  }
});

test('a database without a lake gets one; one with a lake in another schema gets no second, and names where it is', async () => {
  await using lake = await aLake();
  const {options} = lake;
  const elsewhere = {...options, metadataSchema: 'elsewhere'};
  const refusal = {
    code: 'invalid_configuration',
    message: expect.stringContaining('there is one in "public"') as string,
  };
  const other = openLake(elsewhere);
  await expect(other.look(currentSnapshot)).rejects.toMatchObject(refusal);
  other.close();
  await expect(openPlainSql(elsewhere, options.extensions)).rejects.toMatchObject(refusal);

  await using empty = await aDatabase();
  const first = await openPlainSql({...elsewhere, catalog: empty.url}, options.extensions);
  await first.run('CREATE TABLE t AS SELECT 1', 'json', 1);
  first.close();
  const found = openLake({...elsewhere, catalog: empty.url});
  expect(await found.look(currentSnapshot)).toMatchObject({id: 1});
  found.close();
});

test('a COMMIT that is never answered is given up as ambiguous, and its instance with it', async () => {
  const {session, asked, isAbandoned} = aMuteSession('COMMIT');
  const failure = await failureWithin(60, () => session.transaction(() => session.run(sql`DELETE FROM t`)));
  expect(failure).toMatchObject({kind: 'ambiguous-commit'});
  expect(isAbandoned()).toBe(true);
  expect(asked).toEqual(['BEGIN', 'DELETE FROM t', 'COMMIT']);
});

test('a look at a catalog that never answers is given up, and its instance with it', async () => {
  const {session, isAbandoned} = aMuteSession('SELECT 1', {kind: 'limit', seconds: 60});
  expect(await failureWithin(60, () => session.rows(sql`SELECT 1`))).toMatchObject({kind: 'connection'});
  expect(isAbandoned()).toBe(true);
});

test('a statement that computes may take long, as long as the catalog answers others', async () => {
  let hangs = false;
  let asked = 0;
  const isHanging = () => Promise.resolve((asked++, hangs));
  const {session, isAbandoned} = aMuteSession('SELECT 1', {kind: 'ask', everySeconds: 60, isHanging});
  vi.useFakeTimers();
  try {
    const failure = session.rows(sql`SELECT 1`).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect([asked, isAbandoned()]).toEqual([60, false]);
    hangs = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await failure).toMatchObject({kind: 'connection'});
    expect(isAbandoned()).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});

test('a connection to a machine that is gone breaks within minutes', () => {
  expect(readCatalogUrl('postgresql://me@there/db')?.attach).toBe(
    'ducklake:postgres:postgresql://me@there/db?connect_timeout=15&keepalives_idle=60&keepalives_interval=10&keepalives_count=6',
  );
  expect(readCatalogUrl('postgresql://me@there/db?keepalives_idle=5')?.attach).toBe(
    'ducklake:postgres:postgresql://me@there/db?keepalives_idle=5&connect_timeout=15&keepalives_interval=10&keepalives_count=6',
  );
  expect(readCatalogUrl('postgres:host=there dbname=db')?.attach).toBe(
    'ducklake:postgres:host=there dbname=db connect_timeout=15 keepalives_idle=60 keepalives_interval=10 keepalives_count=6',
  );
});

/** A session whose DuckDB never answers one statement. */
function aMuteSession(mute: string, patience?: Patience) {
  const never = new Promise<never>(() => undefined);
  const asked: string[] = [];
  let isAbandoned = false;
  const answer = {convertRowObjects: () => Promise.resolve([]), rowsChanged: 0};
  const run = (statement: string): Promise<unknown> => {
    asked.push(statement);
    return statement === mute ? never : Promise.resolve(answer);
  };
  const session = openSession({run} as unknown as DuckDBConnection, {
    lake: {name: 'lake', metadataSchema: 'public'},
    query: defaultSettings,
    protectedTables: new Set(),
    scrub: (text) => text,
    signal: undefined,
    abandon: () => (isAbandoned = true),
    beside: () => never,
    ...(patience === undefined ? {} : {patience}),
  });
  return {session, asked, isAbandoned: () => isAbandoned};
}

async function failureWithin(seconds: number, work: () => Promise<unknown>): Promise<unknown> {
  vi.useFakeTimers();
  try {
    const failure = work().catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(seconds * 1000);
    return await failure;
  } finally {
    vi.useRealTimers();
  }
}

test('an error is told by what DuckDB calls it, whatever values it quotes', () => {
  expect(classify(`Conversion Error: Could not convert string 'Transaction conflict 404' to INT32`)).toBe('data');
  expect(classify('Invalid Input Error: No snapshot found at version 9')).toBe('missing-snapshot');
  expect(
    classify(
      'Binder Error: Failed to get extended data file list from DuckLake: Failed to prepare query "SELECT 1": server closed the connection unexpectedly',
    ),
  ).toBe('connection');
  const asked = 'Error: Failed to prepare query "SELECT 404": ';
  expect(classify(`Binder ${asked}server closed the connection unexpectedly`)).toBe('connection');
  expect(classify(`Invalid ${asked}FATAL:  terminating connection due to administrator command`)).toBe('connection');
  expect(classify(`Binder ${asked}ERROR:  canceling statement due to statement timeout`)).toBe('other');
  expect(classify(`Binder Error: No function matches "server closed the connection"`)).toBe('statement');
  expect(classify('TransactionContext Error: Failed to commit: Transaction conflict - attempting to …')).toBe(
    'conflict',
  );
  expect(classify('IO Error: server closed the connection unexpectedly', 'commit')).toBe('ambiguous-commit');
});
