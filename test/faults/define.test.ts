import {expect, test} from 'vitest';
import {definitionId} from '../../src/temporal-names.ts';
import {Draws} from '../differential/draws.ts';
import {aFaultWorker, type FaultWorker} from '../support/fault-worker.ts';
import {aStack} from '../support/stack.ts';
import {isLong, seed} from './length.ts';
import {whatIsLeft} from './pair.ts';

/*
 * CREATE and DROP by workers that are killed right before each of their statements, with `FAULTS=long` alone: the statement is
 * finished by the next worker, or, when its run was terminated too, undone or finished by the next statement.
 */

const statement = `create dynamic table t target_lag = '1 day' as select k, count(*) as n from base group by k`;
const there = {
  staged: [],
  lake: ['freshet_state.main.t', 'main.base', 'main.t'],
  metadata: [{name: 'main.t', state: 'active'}],
  schedules: ['main.t'],
};
const gone = {staged: [], lake: ['main.base'], metadata: [], schedules: []};

test.runIf(isLong)(
  'CREATE and DROP killed before any of their statements are finished or undone, never half',
  async () => {
    await using stack = await aStack({withWorker: false});
    await stack.run('create table base as select i % 5 as k from range(100) as t(i)');
    let worker = aFaultWorker(stack);
    let standby = aFaultWorker(stack);
    worker.begin();
    const draws = Draws.seeded(seed);

    /** Runs the statement on a worker that dies before its n-th; true if it died. What is to come of it is awaited on the next. */
    async function killed(n: number, run: () => Promise<unknown>, isTerminated: boolean): Promise<boolean> {
      let isDead = false;
      const current: FaultWorker = worker;
      void current.ended.then(() => (isDead = true));
      current.dieBefore(n);
      const outcome = run().catch((error: unknown) => error);
      await Promise.race([current.ended, outcome]);
      if (!isDead) {
        // It sends a statement more or less each time. What comes next is not to die.
        current.watch();
        return false;
      }
      if (isTerminated)
        await stack.temporal.workflow
          .getHandle(definitionId(stack.prefix, 'main.t'))
          .terminate()
          .catch(() => undefined);
      worker = standby;
      worker.begin();
      standby = aFaultWorker(stack);
      await outcome;
      return true;
    }

    try {
      const create = () => stack.client.create(statement);
      const drop = () => stack.client.drop('t', {ifExists: true});
      worker.watch();
      await create();
      const creates = worker.lastStatement()?.number ?? 0;
      worker.watch();
      await drop();
      const drops = worker.lastStatement()?.number ?? 0;
      expect(await whatIsLeft(stack)).toEqual(gone);
      let kills = 0;
      for (const [count, run] of [
        [creates, create],
        [drops, drop],
      ] as const) {
        const moments = Array.from({length: count}, (_, i) => i + 1);
        for (const n of moments) {
          const isTerminated = draws.chance(50);
          if (run === drop) await create();
          if (await killed(n, run, isTerminated)) kills++;
          if (!isTerminated) expect(await whatIsLeft(stack), `${n}`).toEqual(run === create ? there : gone);
          // Whatever the cut-off statement has left, the next one copes with it.
          await drop();
          expect(await whatIsLeft(stack), `dropped after ${n}`).toEqual(gone);
          await create();
          expect(await whatIsLeft(stack), `created after ${n}`).toEqual(there);
          expect(await stack.client.verify('t')).toMatchObject({verdict: 'equal'});
          await drop();
        }
      }
      console.log(
        `CREATE and DROP survived ${kills} kills before one of ${creates} and ${drops} statements, seed ${seed}`,
      );
    } finally {
      await worker.kill();
      await standby.kill();
    }
  },
  3_600_000,
);
