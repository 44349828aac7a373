import {expect, test} from 'vitest';
import {aFaultWorker, type FaultWorker} from '../support/fault-worker.ts';
import {isLong, seed} from './length.ts';
import {aPair, type Pair} from './pair.ts';

/*
 * `freshet maintain` by workers that are killed right before one of its statements: the next worker ends it, the tables are what
 * their queries give and go on incrementally, and lake-wide maintenance does not reach the table.
 */

test('maintenance whose worker is killed before it has closed the table again is ended by the next worker', async () => {
  await using pair = await aPair(seed);
  await using worker = aFaultWorker(pair.stack);
  await using next = aFaultWorker(pair.stack);
  worker.begin();
  await pair.create();
  await refreshed(pair);

  const held = worker.holdBefore(`^maintainTable: CALL .*set_option\\('auto_compact', false`);
  const maintained = pair.stack.client.maintain('copies');
  await held;
  expect(await isOpenToOthers(pair)).toBe(true);
  await worker.kill();
  next.begin();
  await maintained;
  expect(await isOpenToOthers(pair)).toBe(false);
  await refreshed(pair);
});

test.runIf(isLong)(
  'maintenance killed before any of its statements is ended by the next worker',
  async () => {
    await using pair = await aPair(seed);
    const {stack} = pair;
    let worker = aFaultWorker(stack);
    let standby = aFaultWorker(stack);
    worker.begin();
    await pair.create();
    const survived: string[] = [];
    try {
      await refreshed(pair);
      worker.watch();
      expect(await stack.client.maintain('copies')).toMatchObject({
        outcome: 'maintained',
        after: {small: 1, deletes: 0},
      });
      const all = worker.lastStatement()?.number ?? 0;
      for (let n = 1; n <= all; n++) {
        await refreshed(pair);
        const current: FaultWorker = worker;
        let isDead = false;
        void current.ended.then(() => (isDead = true));
        current.dieBefore(n);
        const maintained = stack.client.maintain('copies');
        await Promise.race([current.ended, maintained]);
        if (isDead) {
          worker = standby;
          worker.begin();
          standby = aFaultWorker(stack);
          survived.push(current.lastStatement()?.text ?? '');
        } else {
          current.watch();
        }
        expect(await maintained, `${n}`).toMatchObject({after: {small: 1, deletes: 0}});
        expect(await isOpenToOthers(pair), `${n}`).toBe(false);
      }
      await refreshed(pair);
      expect(survived.length).toBeGreaterThan(all / 2);
    } finally {
      console.log(`Maintenance survived ${survived.length} kills, seed ${seed}: ${survived.join(' | ')}`);
      await worker.kill();
      await standby.kill();
    }
  },
  3_600_000,
);

/** A change is taken in incrementally, and leaves files to tidy. */
async function refreshed({stack, change, expectWhole}: Pair): Promise<void> {
  await change();
  await (await stack.client.refresh('totals')).result();
  await expectWhole();
}

/** Whether somebody's lake-wide maintenance would reach the table. */
async function isOpenToOthers({stack}: Pair): Promise<boolean> {
  const [row] = await (
    await stack.newcomer()
  ).rows(`select value from lake.options() where option_name = 'auto_compact' and scope_entry = 'main.copies'`);
  return row?.[0] === 'true';
}
