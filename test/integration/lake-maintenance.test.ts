import {expect, test} from 'vitest';
import {defaultSettings} from '../../src/definition/definition.ts';
import {lastWrite, tableHistory} from '../../src/lake/catalog.ts';
import {feedParts} from '../../src/lake/feed.ts';
import {filesOf, isMaintenanceDue, maintain} from '../../src/lake/maintenance.ts';
import {Conflict} from '../../src/lake/publication.ts';
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
    expect(await filesOf(session, table)).toEqual({data: 4, deletes: 3});
    expect(await isMaintenanceDue(session, table)).toBe(false);
    expect(await maintain(session, table, 5)).toBe(true);
    expect(await filesOf(session, table)).toEqual({data: 1, deletes: 0});
    expect(await maintain(session, table, 6)).toBe(false);

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
        await session.beside((other) => maintain(other, table, 9));
      },
    });
    await expect(late).rejects.toBeInstanceOf(Conflict);
  });
  expect(await lake.rows(`SELECT count(*) FROM (SELECT k FROM t WHERE v = 'a')`)).toEqual([[9]]);
});
