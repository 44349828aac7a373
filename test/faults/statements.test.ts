import {randomUUID} from 'node:crypto';
import {expect, test} from 'vitest';
import {mostFailuresInARow, type StoredSuspension} from '../../src/metadata/dynamic-table.ts';
import {scheduleId, taskQueue} from '../../src/temporal-names.ts';
import {workflowTypes, type ResumeInput} from '../../src/workflows/messages.ts';
import {Draws} from '../differential/draws.ts';
import {aFaultWorker, type FaultWorker} from '../support/fault-worker.ts';
import type {Stack} from '../support/stack.ts';
import {isLong, seed} from './length.ts';
import {aPair, type Pair} from './pair.ts';

/*
 * `freshet maintain` and `freshet resume` by workers that are killed right before one of their statements: what was begun is ended by
 * the next worker, or, when the run was terminated too, by whoever asks for it next. The tables are what their queries give and go on
 * incrementally; lake-wide maintenance does not reach them, and nothing stays suspended. `define.test.ts` has CREATE and DROP.
 */

test.runIf(isLong)(
  'maintenance killed before it has closed the table again, and a resumption killed twice on its way, are ended by the next',
  async () => {
    await using pair = await aPair(seed);
    const {stack} = pair;
    await using first = aFaultWorker(stack);
    await using second = aFaultWorker(stack);
    await using third = aFaultWorker(stack);
    await using fourth = aFaultWorker(stack);
    first.begin();
    await pair.create();
    await refreshed(pair);

    const held = first.holdBefore(`^maintainTable: CALL .*set_option\\('auto_compact', false`);
    const maintained = stack.client.maintain('copies');
    await held;
    expect(await isOpenToOthers(stack)).toBe(true);
    await first.kill();
    second.begin();
    await maintained;
    expect(await isOpenToOthers(stack)).toBe(false);

    await suspend(stack);
    for (const [worker, next, statement] of [
      [second, third, 'schedule unpause'],
      [third, fourth, 'postgres update'],
    ] as const) {
      const reached = worker.holdBefore(`^resumeTable: ${statement}`);
      const run = await startResume(stack);
      await reached;
      await worker.kill();
      await run.terminate();
      next.begin();
    }
    expect(await stack.client.resume('copies')).toMatchObject({outcome: 'resumed', readers: ['main.totals']});
    await expectResumed(stack);
    await refreshed(pair);
  },
);

test.runIf(isLong)(
  'maintenance killed before any of its statements is ended by the next worker',
  async () => {
    await using pair = await aPair(seed);
    await using workers = someWorkers(pair.stack);
    await pair.create();
    await refreshed(pair);
    workers.current().watch();
    const tidied = {after: {small: 1, deletes: 0}};
    expect(await pair.stack.client.maintain('copies')).toMatchObject({...tidied, outcome: 'maintained'});
    const all = workers.current().lastStatement()?.number ?? 0;
    for (let n = 1; n <= all; n++) {
      await refreshed(pair);
      const maintained = await workers.killedBefore(n, () => pair.stack.client.maintain('copies'));
      expect(await maintained.ended, `${n}`).toMatchObject(tidied);
      expect(await isOpenToOthers(pair.stack), `${n}`).toBe(false);
    }
    await refreshed(pair);
    workers.report('Maintenance', all);
  },
  3_600_000,
);

test.runIf(isLong).each([
  ['paused', suspend],
  ['lost by Temporal', loseSchedules],
])(
  'resumptions of schedules that are %s, killed before any of their statements, are ended by the next worker or run',
  async (_, stop) => {
    await using pair = await aPair(seed);
    const {stack} = pair;
    await using workers = someWorkers(stack);
    const draws = Draws.seeded(seed);
    await pair.create();
    await stop(stack);
    workers.current().watch();
    await stack.client.resume('copies');
    await expectResumed(stack);
    const all = workers.current().lastStatement()?.number ?? 0;
    for (let n = 1; n <= all; n++) {
      await stop(stack);
      let run: Awaited<ReturnType<typeof startResume>> | undefined;
      const resumed = await workers.killedBefore(n, async () => await (run = await startResume(stack)).result());
      if (resumed.isDead && draws.chance(50)) {
        await run?.terminate();
        await stack.client.resume('copies');
      } else {
        await resumed.ended;
      }
      await expectResumed(stack);
    }
    workers.report('Resumptions', all);
  },
  3_600_000,
);

/** One worker after another, the next of them on standby. */
function someWorkers(stack: Stack) {
  let worker = aFaultWorker(stack);
  let standby = aFaultWorker(stack);
  worker.begin();
  const survived: string[] = [];
  return {
    current: (): FaultWorker => worker,
    /** Does something that the worker dies of before its n-th statement, if it comes to that; another one takes over. */
    killedBefore: async <T>(n: number, run: () => Promise<T>): Promise<{isDead: boolean; ended: Promise<T>}> => {
      const dying = worker;
      let isDead = false;
      void dying.ended.then(() => (isDead = true));
      dying.dieBefore(n);
      const ended = run();
      await Promise.race([dying.ended, ended.catch(() => undefined)]);
      if (isDead) {
        worker = standby;
        worker.begin();
        standby = aFaultWorker(stack);
        survived.push(dying.lastStatement()?.text ?? '');
      } else {
        dying.watch();
      }
      return {isDead, ended};
    },
    report: (what: string, all: number): void => {
      console.log(`${what} survived ${survived.length} kills, seed ${seed}: ${survived.join(' | ')}`);
      expect(survived.length).toBeGreaterThan(all / 2);
    },
    [Symbol.asyncDispose]: async () => {
      await worker.kill();
      await standby.kill();
    },
  };
}

/** A change is taken in incrementally, and leaves files to tidy. */
async function refreshed({stack, change, expectWhole}: Pair): Promise<void> {
  await change();
  await (await stack.client.refresh('totals')).result();
  await expectWhole();
}

/** Whether somebody's lake-wide maintenance would reach the table. */
async function isOpenToOthers(stack: Stack): Promise<boolean> {
  const newcomer = await stack.newcomer();
  const [row] = await newcomer.rows(
    `select value from lake.options() where option_name = 'auto_compact' and scope_entry = 'main.copies'`,
  );
  return row?.[0] === 'true';
}

const tables = ['main.copies', 'main.totals'];

/** Both tables as five failures in a row leave them. */
async function suspend({metadata, temporal, prefix}: Stack): Promise<void> {
  const suspension: StoredSuspension = {
    ...{kind: 'failures', code: 'data_error', error: 'No number.', runId: 'run'},
    since: new Date().toISOString(),
  };
  await metadata.query('update freshet.dynamic_table set failures_in_a_row = $1, suspension = $2', [
    mostFailuresInARow,
    JSON.stringify(suspension),
  ]);
  for (const table of tables) await temporal.schedule.getHandle(scheduleId(prefix, table)).pause('suspended');
}

async function loseSchedules(stack: Stack): Promise<void> {
  await suspend(stack);
  for (const table of tables) await stack.temporal.schedule.getHandle(scheduleId(stack.prefix, table)).delete();
}

/** What the client does, and then waits for: whether it lives to hear of the end makes no difference. */
function startResume({temporal, prefix}: Stack) {
  return temporal.workflow.start(workflowTypes.resume, {
    workflowId: `${prefix}resume-${randomUUID()}`,
    taskQueue: taskQueue(prefix),
    args: [{table: 'main.copies'} satisfies ResumeInput],
  });
}

async function expectResumed({client}: Stack): Promise<void> {
  for (const table of tables) {
    expect(await client.describe(table), table).toMatchObject({
      ...{state: 'active', suspension: null, failuresInARow: 0},
      schedule: {paused: false, note: expect.stringContaining('target lag 1 day') as string},
    });
  }
}
