import {expect, test} from 'vitest';
import {defaultSettings} from '../../src/definition/definition.ts';
import {lastWrite, tableHistory} from '../../src/lake/catalog.ts';
import {feedParts} from '../../src/lake/feed.ts';
import {damageOf, filesOf, forgetDeadStates, isMaintenanceDue, tidy} from '../../src/lake/maintenance.ts';
import {Conflict} from '../../src/lake/publication.ts';
import {readStanding, readState} from '../../src/lake/state.ts';
import {whileCompactable} from '../../src/lake/table-options.ts';
import {changeOf, standing} from '../support/change.ts';
import {aLake} from '../support/lake.ts';
import {create, publishStatements} from '../support/target.ts';

const table = {schema: 'main', name: 't'};

test('many files become one, and neither readers nor the table itself take it for a write', async () => {
  await using lake = await aLake();
  await lake.lake.compute(defaultSettings, async (session) => {
    const state = await create(session, table);
    let last = await lake.snapshot();
    const first = last;
    for (let i = 0; i < 4; i++) {
      const statements = [
        `DELETE FROM freshet_lake.main.t WHERE k = ${i - 1}`,
        `INSERT INTO freshet_lake.main.t VALUES (${i}, 'a'), (${i + 10}, 'b')`,
      ];
      ({snapshot: last} = await publishStatements(session, {table, state, generation: i, statements}));
    }
    expect(await filesOf(session, table)).toEqual({data: 4, small: 4, deletes: 3});
    await tidy(session, table);
    expect(await filesOf(session, table)).toEqual({data: 1, small: 1, deletes: 0});

    const now = await lake.snapshot();
    const {tableId} = await standing(session, table, now);
    expect(await lastWrite(session, tableId)).toBe(last);
    expect(feedParts(await tableHistory(session, tableId, last, now), last, now)).toEqual([]);
    expect(await changeOf(session, table, {from: first, to: now})).toEqual([
      ['10', 'b', 1],
      ['11', 'b', 1],
      ['12', 'b', 1],
      ['13', 'b', 1],
      ['3', 'a', 1],
    ]);
  });
});

test('a table whose maintenance was cancelled is out of reach of the lake-wide one when it is written again', async () => {
  await using lake = await aLake();
  const options = `SELECT value FROM lake.options() WHERE option_name = 'auto_compact' AND scope_entry = 'main.t'`;
  const state = await lake.lake.compute(defaultSettings, (session) => create(session, table));
  const cancel = new AbortController();
  const cancelled = lake.lake.compute(
    defaultSettings,
    (session) =>
      whileCompactable(session, table, () => {
        cancel.abort(new Error('cancelled'));
        return Promise.resolve();
      }),
    cancel.signal,
  );
  await expect(cancelled).rejects.toThrow('cancelled');
  expect(await (await lake.newcomer()).rows(options)).toEqual([['true']]);
  await lake.lake.compute(defaultSettings, (session) =>
    publishStatements(session, {table, state, generation: 0, statements: []}),
  );
  expect(await (await lake.newcomer()).rows(options)).toEqual([['false']]);
});

test('many small files, or many with deleted rows, make maintenance due; large ones do not', () => {
  expect(isMaintenanceDue({data: 500, small: 49, deletes: 49})).toBe(false);
  expect(isMaintenanceDue({data: 500, small: 50, deletes: 0})).toBe(true);
  expect(isMaintenanceDue({data: 100, small: 1, deletes: 50})).toBe(true);
});

test('a table without the rows that were left in it is damaged', async () => {
  await using lake = await aLake();
  await lake.lake.compute(defaultSettings, async (session) => {
    const state = await create(session, table);
    expect(await damageOf(session, table)).toBeNull();
    const statements = [`INSERT INTO freshet_lake.main.t VALUES (1, 'a'), (2, 'b'), (3, 'c')`];
    await publishStatements(session, {table, state, generation: 0, statements});
    const left = (await readStanding(session, table))?.rows ?? 0;
    await lake.run('DELETE FROM t WHERE k = 1');
    expect(await damageOf(session, table)).toEqual({expected: left, found: 2});
  });
});

test('dead versions of a state row are taken away, the newest and the one that lives are not', async () => {
  await using lake = await aLake();
  const state = await lake.lake.compute(defaultSettings, async (session) => {
    const made = await create(session, table);
    for (let generation = 0; generation < 6; generation++) {
      const statements = [`INSERT INTO freshet_lake.main.t VALUES (${generation}, 'a')`];
      await publishStatements(session, {table, state: made, generation, statements});
    }
    const before = await readStanding(session, table);
    expect(await forgetDeadStates(session, table, {many: 7, kept: 2})).toBe(0);
    expect(await forgetDeadStates(session, table, {many: 6, kept: 2})).toBe(4);
    expect(await readStanding(session, table)).toEqual(before);
    expect(await readState(session, table, (before?.snapshot ?? 0) - 1)).toMatchObject({generation: 5});
    const statements = [`INSERT INTO freshet_lake.main.t VALUES (7, 'a')`];
    await publishStatements(session, {table, state: made, generation: 6, statements});
    expect(await forgetDeadStates(session, table)).toBe(0);
    return await readStanding(session, table);
  });
  expect(state).toMatchObject({generation: 7});
  const newcomer = await lake.newcomer();
  expect(await newcomer.rows('select generation from lake.freshet_state."main.t"')).toEqual([[7]]);
});

test('a refresh beside which a target is maintained conflicts', async () => {
  await using lake = await aLake();
  await lake.lake.compute(defaultSettings, async (session) => {
    const state = await create(session, table);
    const rows = [`INSERT INTO freshet_lake.main.t SELECT range, 'a' FROM range(10)`];
    await publishStatements(session, {table, state, generation: 0, statements: rows});
    await publishStatements(session, {
      table,
      state,
      generation: 1,
      statements: [`DELETE FROM freshet_lake.main.t WHERE k = 0`],
    });
    const late = publishStatements(session, {
      table,
      state,
      generation: 2,
      statements: [`DELETE FROM freshet_lake.main.t WHERE k = 1`],
      beforeCommit: async () => {
        await session.beside((other) => tidy(other, table));
      },
    });
    await expect(late).rejects.toBeInstanceOf(Conflict);
  });
  expect(await lake.rows(`SELECT count(*) FROM (SELECT k FROM t WHERE v = 'a')`)).toEqual([[9]]);
});
