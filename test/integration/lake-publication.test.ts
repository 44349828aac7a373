import {expect, test} from 'vitest';
import {defaultSettings} from '../../src/definition/definition.ts';
import {classify} from '../../src/lake/errors.ts';
import {openLake} from '../../src/lake/lake.ts';
import {Conflict, isReadable} from '../../src/lake/publication.ts';
import type {Session} from '../../src/lake/session.ts';
import {
  allStates,
  createState,
  dropState,
  FenceLost,
  fencedUpdate,
  readState,
  stateTable,
} from '../../src/lake/state.ts';
import {createSuccessor, createTarget, dropTarget, takePlace} from '../../src/lake/target.ts';
import {sql} from '../../src/sql.ts';
import {create, firstState, publishStatements} from '../support/target.ts';
import {aLake, type TestLake} from '../support/lake.ts';

const table = {schema: 'main', name: 't'};

test('rows, state row and message are one snapshot', async () => {
  await using lake = await aLake();
  await inRefresh(lake, async (session) => {
    const state = await create(session, table);
    const before = await readState(session, table);
    expect(before).toMatchObject({...state, table, dataVersion: null});
    const publication = await publishStatements(session, {
      table,
      state,
      generation: 0,
      refreshId: 'run-1',
      dataVersion: 7,
      statements: [`INSERT INTO freshet_lake.main.t SELECT range, 'a' FROM range(3)`],
    });
    const snapshot = await lake.snapshot();
    expect(publication).toEqual({
      snapshot,
      incarnation: state.incarnation,
      generation: 1,
      contents: 1,
      dataVersion: 7,
      rows: 3,
    });
    expect(snapshot).toBe(before!.snapshot + 1);
    expect(await readState(session, table)).toMatchObject({refreshId: 'run-1', generation: 1, rows: 3, snapshot});
    expect(await readState(session, table, before!.snapshot)).toMatchObject({
      generation: 0,
      snapshot: before!.snapshot,
    });
  });
  expect(
    await lake.rows(
      `SELECT author, commit_message, commit_extra_info FROM lake.snapshots() ORDER BY snapshot_id DESC LIMIT 1`,
    ),
  ).toEqual([['freshet', 'a test', '{"dataVersion":7,"refreshId":"run-1"}']]);
});

test('a transaction that wrote the lake writes nothing else: the metadata come after it', async () => {
  await using lake = await aLake();
  await inRefresh(lake, async (session) => {
    const state = await create(session, table);
    await session.run(sql`CREATE TEMP TABLE change AS SELECT 1 AS k`);
    await session.run(sql`ATTACH ':memory:' AS elsewhere`);
    const both = session.transaction(async () => {
      await session.run(sql`CREATE TEMP TABLE key AS FROM change`);
      await session.run(sql`INSERT INTO freshet_lake.main.t VALUES (1, 'a')`);
      await session.run(sql`CREATE TABLE elsewhere.history AS SELECT 1 AS id`);
    });
    await expect(both).rejects.toThrow('a single transaction can only write to a single attached database');
    expect(await readState(session, table)).toMatchObject({generation: 0, incarnation: state.incarnation});
  });
  expect(await lake.rows('FROM t')).toEqual([]);
});

test('a MERGE takes one of several rows for a key, so rows are deleted and inserted instead', async () => {
  await using lake = await aLake();
  await lake.run(`CREATE TABLE merged AS SELECT 1 AS k, 'old' AS v`);
  await lake.run(
    `MERGE INTO merged USING (VALUES (1, 'new'), (1, 'newer')) AS change(k, v) USING (k) WHEN MATCHED THEN UPDATE`,
  );
  expect(await lake.rows('SELECT count(*) FROM merged')).toEqual([[1]]);
  await expect(
    lake.run(
      `MERGE INTO merged USING (VALUES (1, 'x')) AS change(k, v) USING (k)
       WHEN MATCHED AND change.v = 'gone' THEN DELETE WHEN MATCHED THEN UPDATE`,
    ),
  ).rejects.toThrow('MERGE INTO with DuckLake only supports a single UPDATE/DELETE action');
});

test('of two refreshes that began at one state only the first gets in', async () => {
  await using lake = await aLake();
  await inRefresh(lake, async (session) => {
    const state = await create(session, table);
    const statements = [
      `DELETE FROM freshet_lake.main.t WHERE k = 1`,
      `INSERT INTO freshet_lake.main.t VALUES (1, 'once')`,
    ];
    // The second one's DELETE, too, matches no row, which alone conflicts with nothing.
    const late = publishStatements(session, {
      table,
      state,
      generation: 0,
      statements,
      beforeCommit: async () => {
        await session.beside((other) => publishStatements(other, {table, state, generation: 0, statements}));
      },
    });
    await expect(late).rejects.toBeInstanceOf(Conflict);
    await expect(publishStatements(session, {table, state, generation: 0, statements})).rejects.toBeInstanceOf(
      FenceLost,
    );
  });
  expect(await lake.rows(`SELECT * FROM t`)).toEqual([[1, 'once']]);
});

test('without the state row two such refreshes double the rows', async () => {
  await using lake = await aLake();
  await lake.run(`CREATE TABLE t (k INTEGER)`);
  const [one, two] = [await lake.outsider(), await lake.outsider()];
  for (const refresh of [one, two]) {
    await refresh.run('BEGIN');
    await refresh.run(`DELETE FROM t WHERE k = 1`);
    await refresh.run(`INSERT INTO t VALUES (1)`);
  }
  await one.run('COMMIT');
  await two.run('COMMIT');
  expect(await lake.rows(`SELECT * FROM t`)).toEqual([[1], [1]]);
});

test('two refreshes that only delete conflict by the state row', async () => {
  await using lake = await aLake();
  await inRefresh(lake, async (session) => {
    const state = await create(session, table);
    const publish = (
      generation: number,
      statements: readonly string[],
      beforeCommit?: () => Promise<void>,
    ): Promise<unknown> =>
      publishStatements(session, {table, state, generation, statements, ...(beforeCommit ? {beforeCommit} : {})});
    await publish(0, [`INSERT INTO freshet_lake.main.t SELECT range, 'a' FROM range(1000)`]);
    await publish(1, [`DELETE FROM freshet_lake.main.t WHERE k < 100`]);
    const late = publish(2, [`DELETE FROM freshet_lake.main.t WHERE k BETWEEN 200 AND 299`], async () => {
      await session.beside((other) =>
        publishStatements(other, {
          table,
          state,
          generation: 2,
          statements: [`DELETE FROM freshet_lake.main.t WHERE k >= 900`],
        }),
      );
    });
    await expect(late).rejects.toBeInstanceOf(Conflict);
  });
  expect(await lake.rows(`SELECT count(*), count(DISTINCT k) FROM (SELECT k FROM t WHERE v = 'a')`)).toEqual([
    [800, 800],
  ]);
});

test('somebody else who writes the target first is a conflict; who writes another table is not', async () => {
  await using lake = await aLake();
  await lake.run(`CREATE TABLE other (k INTEGER)`);
  await inRefresh(lake, async (session) => {
    const state = await create(session, table);
    const insert = [`INSERT INTO freshet_lake.main.t VALUES (1, 'ours')`];
    await publishStatements(session, {
      table,
      state,
      generation: 0,
      statements: insert,
      beforeCommit: async () => {
        for (let i = 0; i < 20; i++) await lake.run(`INSERT INTO other VALUES (${i})`);
      },
    });
    const meddled = publishStatements(session, {
      table,
      state,
      generation: 1,
      statements: [`DELETE FROM freshet_lake.main.t`, ...insert],
      beforeCommit: async () => {
        await lake.run(`UPDATE t SET v = 'theirs'`);
      },
    });
    await expect(meddled).rejects.toBeInstanceOf(Conflict);
  });
  expect(await lake.rows(`SELECT v FROM t`)).toEqual([['theirs']]);
});

test('DuckLake gives up its tries in other words than at a conflict', async () => {
  await using lake = await aLake();
  await lake.run(`CREATE TABLE a (k INTEGER)`);
  await lake.run(`CREATE TABLE b (k INTEGER)`);
  await lake.run(`SET ducklake_max_retry_count = 1`);
  const late = await lake.outsider();
  await late.run('BEGIN');
  await late.run(`INSERT INTO a VALUES (1)`);
  await lake.run(`INSERT INTO b VALUES (1)`);
  const failure = await late.run('COMMIT').catch((error: Error) => error.message);
  expect(classify(String(failure), 'commit')).toBe('retries-exhausted');
});

test('a publication that fails leaves nothing, and its error is let through', async () => {
  await using lake = await aLake();
  await inRefresh(lake, async (session) => {
    const state = await create(session, table);
    const statements = [
      `INSERT INTO freshet_lake.main.t VALUES (1, 'a')`,
      `INSERT INTO freshet_lake.main.t VALUES ('no number', 'b')`,
    ];
    await expect(publishStatements(session, {table, state, generation: 0, statements})).rejects.toMatchObject({
      kind: 'data',
    });
    expect(await readState(session, table)).toMatchObject({generation: 0, dataVersion: null});
  });
  expect(await lake.rows(`SELECT * FROM t`)).toEqual([]);
});

test('a target keeps its rows in files, a state row stays in the catalog, and maintenance of the whole lake passes both by', async () => {
  await using lake = await aLake();
  await inRefresh(lake, async (session) => {
    const state = await create(session, table);
    for (let i = 0; i < 3; i++) {
      const statements = [
        `DELETE FROM freshet_lake.main.t WHERE k = ${i - 1}`,
        `INSERT INTO freshet_lake.main.t VALUES (${i}, 'a'), (${i + 10}, 'b')`,
      ];
      await publishStatements(session, {table, state, generation: i, statements});
    }
    const limit = `SELECT value FROM lake.options() WHERE option_name = 'data_inlining_row_limit' AND scope_entry`;
    expect(await lake.rows(`${limit} = 'main.t'`)).toEqual([['0']]);
    expect(await lake.rows(`${limit} = 'freshet_state.main.t'`)).toEqual([['1000000']]);
  });
  const files = `SELECT table_name, file_count, delete_file_count FROM ducklake_table_info('lake') ORDER BY table_name`;
  const before = await lake.rows(files);
  expect(before).toEqual([
    ['main.t', 0, 0],
    ['t', 3, 2],
  ]);
  const owner = await lake.newcomer();
  await owner.run(`CALL ducklake_flush_inlined_data('lake')`);
  await owner.run(`CALL ducklake_merge_adjacent_files('lake')`);
  await owner.run(`CHECKPOINT lake`);
  expect(await lake.rows(files)).toEqual(before);
  const comment = await lake.rows(
    `SELECT comment FROM duckdb_tables() WHERE table_name = 't' AND database_name = 'lake'`,
  );
  expect(comment).toEqual([['made by a test']]);
});

test('options that another process has set are not known to one that attached before; ours know them all the same', async () => {
  await using lake = await aLake();
  const early = openLake(lake.options);
  await early.compute(defaultSettings, (session) => session.rows(sql`SELECT 1`));
  const insert = (k: number): string => `INSERT INTO lake.main.t VALUES (${k}, 'a')`;
  const files = `SELECT file_count FROM ducklake_table_info('lake') WHERE table_name = 't'`;
  const state = await inRefresh(lake, (session) => create(session, table));
  await lake.run(insert(1));
  expect(await lake.rows(files)).toEqual([[0]]);

  const statements = [insert(2).replace('lake', 'freshet_lake')];
  await early.compute(defaultSettings, (session) =>
    publishStatements(session, {table, state, generation: 0, statements}),
  );
  early.close();
  expect(await lake.rows(files)).toEqual([[1]]);
  expect(await lake.rows(`SELECT file_count FROM ducklake_table_info('lake') WHERE table_name = 'main.t'`)).toEqual([
    [0],
  ]);
});

test('whole contents are replaced by TRUNCATE and INSERT, and the feed says so', async () => {
  await using lake = await aLake();
  await inRefresh(lake, async (session) => {
    const state = await create(session, table);
    await publishStatements(session, {
      table,
      state,
      generation: 0,
      statements: [`INSERT INTO freshet_lake.main.t SELECT range, 'a' FROM range(50)`],
    });
    await publishStatements(session, {
      table,
      state,
      generation: 1,
      statements: [`DELETE FROM freshet_lake.main.t WHERE k < 10`],
    });
    const {snapshot} = await publishStatements(session, {
      table,
      state: {...state, rows: 40},
      generation: 2,
      statements: [`TRUNCATE freshet_lake.main.t`, `INSERT INTO freshet_lake.main.t VALUES (1, 'z')`],
    });
    const feed = await lake.rows(
      `SELECT count(*) FROM ducklake_table_deletions('lake', 'main', 't', ${snapshot}, ${snapshot})`,
    );
    expect(feed).toEqual([[40]]);
    expect(await readState(session, table)).toMatchObject({rows: 1});
    expect(await isReadable(session, table)).toBe(true);
  });
});

test('other columns come with rows and state row in one snapshot, and the options stay in force', async () => {
  await using lake = await aLake();
  await inRefresh(lake, async (session) => {
    const state = await create(session, table);
    const first = await publishStatements(session, {
      table,
      state,
      generation: 0,
      statements: [`INSERT INTO freshet_lake.main.t VALUES (1, 'a')`],
    });
    const target = {table, columns: [{name: 'total', type: 'DECIMAL(38,0)'}], comment: 'another'};
    // Somebody else's table keeps its rows, whatever it is called.
    await lake.run('CREATE TABLE freshet_next_t AS SELECT 42 AS mine');
    await createSuccessor(session, target, state.incarnation);
    // An attempt that died here is gone over again.
    const successor = await createSuccessor(session, target, state.incarnation);
    const second = await publishStatements(session, {
      table,
      state,
      generation: 1,
      statements: [`INSERT INTO freshet_lake.main."${successor.name}" VALUES (7)`],
      beforeCommit: () => takePlace(session, table, successor),
    });
    expect(await lake.rows(`SELECT * FROM t AT (VERSION => ${second.snapshot})`)).toEqual([['7']]);
    expect(await lake.rows(`SELECT * FROM t AT (VERSION => ${second.snapshot - 1})`)).toEqual([[1, 'a']]);
    expect(second.snapshot).toBeGreaterThan(first.snapshot);
    await publishStatements(session, {
      table,
      state,
      generation: 2,
      statements: [`INSERT INTO freshet_lake.main.t VALUES (8)`],
    });
  });
  expect(await lake.rows('FROM freshet_next_t')).toEqual([[42]]);
  expect(await lake.rows(`SELECT file_count FROM ducklake_table_info('lake') WHERE table_name = 't'`)).toEqual([[2]]);
});

test('a target is not made over what the lake has already', async () => {
  await using lake = await aLake();
  await lake.run(`CREATE TABLE t (k INTEGER)`);
  await lake.run(`CREATE VIEW v AS SELECT 1`);
  await inRefresh(lake, async (session) => {
    for (const name of ['T', 'v']) {
      const target = {table: {schema: 'main', name}, columns: [{name: 'k', type: 'INTEGER'}], comment: null};
      await expect(createTarget(session, target)).rejects.toMatchObject({code: 'already_exists'});
    }
  });
});

test('states are made again by whoever comes after one who died, read all at once, and dropped', async () => {
  await using lake = await aLake();
  const odd = {schema: 'Sales "24"', name: 'a.b'};
  await inRefresh(lake, async (session) => {
    await session.run(sql`CREATE SCHEMA freshet_lake.freshet_state`);
    await session.run(sql`CREATE TABLE freshet_lake.freshet_state."main.t" ("table" VARCHAR, incarnation VARCHAR, generation BIGINT, contents BIGINT,
      data_version BIGINT, refresh_id VARCHAR, "rows" BIGINT, definition VARCHAR, fingerprint VARCHAR, sources VARCHAR)`);
    const state = firstState(table);
    expect(await readState(session, table)).toBeNull();
    await createState(session, table, state);
    await createState(session, odd, firstState(odd));
    await expect(createState(session, table, firstState(table))).rejects.toMatchObject({code: 'already_exists'});
    expect((await allStates(session)).map((row) => row.table)).toEqual(expect.arrayContaining([table, odd]));

    const sources = [
      {
        source: 'main.s',
        snapshot: 3,
        time: '2020-01-01T00:00:00.000000Z',
        rows: 5,
        upstream: {incarnation: 'i', contents: 2},
      },
    ];
    const fence = {incarnation: state.incarnation, generation: 0};
    await session.transaction(() => fencedUpdate(session, table, fence, {...state, sources}));
    expect(await readState(session, table)).toMatchObject({generation: 1, sources, definition: state.definition});
    const wrong = session.transaction(() => fencedUpdate(session, table, {...fence, incarnation: 'another'}, state));
    await expect(wrong).rejects.toBeInstanceOf(FenceLost);

    await dropState(session, table);
    await dropTarget(session, table, state.incarnation);
    expect(await readState(session, table)).toBeNull();
  });
});

test("state tables' names are apart where tables' names are", () => {
  const names = [
    {schema: 'main', name: 't'},
    {schema: 'main', name: 'a.b'},
    {schema: 'main.a', name: 'b'},
    {schema: 'main', name: 'a"b'},
    {schema: 'main', name: 'x'.repeat(200)},
    {schema: 'main', name: 'x'.repeat(201)},
  ].map((name) => stateTable(name).name);
  expect(new Set(names).size).toBe(names.length);
  expect(names[0]).toBe('main.t');
  expect(Math.max(...names.map((name) => name.length))).toBeLessThan(101);
  expect(stateTable({schema: 'MAIN', name: 'T'})).toEqual(stateTable(table));
});

function inRefresh<T>(lake: TestLake, work: (session: Session) => Promise<T>): Promise<T> {
  return lake.lake.compute(defaultSettings, work);
}
