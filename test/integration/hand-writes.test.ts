import {rm} from 'node:fs/promises';
import {expect, test} from 'vitest';
import {maintainTable} from '../../src/activities/maintain.ts';
import {isUnchanged} from '../../src/activities/unchanged.ts';
import type {Lake} from '../../src/lake/lake.ts';
import type {Session} from '../../src/lake/session.ts';
import {readState} from '../../src/lake/state.ts';
import type {Published} from '../../src/refresh/messages.ts';
import {aDynamicTable, prepared, type TestTable} from '../support/dynamic-table.ts';
import {aLake, type TestLake} from '../support/lake.ts';

/** Somebody else writes into a dynamic table while it is being refreshed, or takes its files away: no refresh carries that on. */

const byHand = `UPDATE totals SET total = 0 WHERE region = 'r3'`;

async function totalsOf(lake: TestLake): Promise<TestTable> {
  await lake.run('CREATE TABLE orders (id INTEGER, region VARCHAR, amount INTEGER)');
  await lake.run(`INSERT INTO orders SELECT range, 'r' || range % 5, range % 7 FROM range(100)`);
  const totals = await aDynamicTable(
    lake,
    'totals',
    'SELECT region, sum(amount) AS total, count(*) AS n FROM orders GROUP BY region',
  );
  await totals.refresh();
  return totals;
}

type Moment = 'after the look-up' | 'before the commit';

/** A refresh beside which `meanwhile` happens. */
async function refreshBeside(
  testLake: TestLake,
  totals: TestTable,
  moment: Moment,
  meanwhile: () => Promise<unknown>,
): Promise<Published> {
  const publisher = moment === 'before the commit' ? beforeCommit(testLake.lake, meanwhile) : testLake.lake;
  const publish = await prepared(testLake, totals, publisher);
  if (moment === 'after the look-up') await meanwhile();
  return await publish();
}

/** The lake, with `work` done at the end of each transaction that writes it. */
function beforeCommit(lake: Lake, work: () => Promise<unknown>): Lake {
  const late = (session: Session): Session => ({
    ...session,
    transaction: (own) =>
      session.transaction(async () => {
        const result = await own();
        await work();
        return result;
      }),
  });
  return {...lake, compute: (settings, use, signal) => lake.compute(settings, (session) => use(late(session)), signal)};
}

test.each([
  ['a change', `INSERT INTO orders VALUES (200, 'r1', 1)`],
  ['nothing that it uses', 'ALTER TABLE orders ADD COLUMN note VARCHAR'],
])('an update by hand between the look-up and the publication of %s is not carried on', async (_, change) => {
  await using lake = await aLake();
  const totals = await totalsOf(lake);
  await lake.run(change);
  expect(await refreshBeside(lake, totals, 'after the look-up', () => lake.run(byHand))).toMatchObject({
    kind: 'full-instead',
    reason: {kind: 'target-written', snapshot: await lake.snapshot()},
  });
  expect(await totals.refresh()).toMatchObject({action: 'FULL'});
  expect(await totals.differences()).toEqual([]);
});

test('a table that is altered between the look-up and the publication is looked at again, and begins anew', async () => {
  await using lake = await aLake();
  const totals = await totalsOf(lake);
  await lake.run(`INSERT INTO orders VALUES (200, 'r1', 1)`);
  const alter = 'ALTER TABLE totals DROP COLUMN total; ALTER TABLE totals ADD COLUMN total HUGEINT';
  expect(await refreshBeside(lake, totals, 'after the look-up', () => lake.run(alter))).toEqual({kind: 'lost'});
  expect(await totals.refresh()).toMatchObject({action: 'REINITIALIZE'});
  expect(await totals.differences()).toEqual([]);
});

test('an update by hand that commits between the beginning and the commit of a publication is found by the next run', async () => {
  await using lake = await aLake();
  const totals = await totalsOf(lake);
  await lake.run('ALTER TABLE orders ADD COLUMN note VARCHAR');
  let written = 0;
  const published = await refreshBeside(lake, totals, 'before the commit', async () => {
    await lake.run(byHand);
    written = await lake.snapshot();
  });
  expect(published).toMatchObject({kind: 'published', summary: {action: 'NO_DATA'}});
  expect(await isSettled(lake)).toBe(false);
  expect(await totals.refresh()).toMatchObject({
    action: 'FULL',
    reason: `somebody else wrote into the table (snapshot ${written})`,
  });
  expect(await totals.differences()).toEqual([]);
  expect(await isSettled(lake)).toBe(true);
});

test('a table whose files somebody has deleted is rebuilt by maintenance and by a full refresh', async () => {
  await using lake = await aLake();
  const totals = await totalsOf(lake);
  const files = await lake.rows(`SELECT data_file FROM ducklake_list_files('lake', 'totals')`);
  for (const [file] of files) await rm(String(file));
  const rebuilt = await maintainTable({lake: lake.lake}, {table: 'main.totals'});
  expect(rebuilt.damage).toEqual({expected: 5, found: 0});
  expect(await totals.refresh({full: true})).toMatchObject({
    action: 'REINITIALIZE',
    reason: 'files of the table are gone, as after a COMMIT whose answer was lost',
  });
  expect(await totals.differences()).toEqual([]);
});

async function isSettled(test: TestLake): Promise<boolean> {
  const state = await test.lake.look((session) => readState(session, {schema: 'main', name: 'totals'}));
  if (state === null) throw new Error('no state row');
  const nodes = [{name: 'main.totals', sources: ['main.orders']}];
  return await isUnchanged(test.lake, 'main.totals', nodes, new Map([['main.totals', state]]), await test.snapshot());
}
