import {randomUUID} from 'node:crypto';
import {expect, test} from 'vitest';
import {mostFailuresInARow, type Suspension} from '../../src/metadata/dynamic-table.ts';
import {scheduleId, taskQueue} from '../../src/temporal-names.ts';
import {workflowTypes, type ResumeInput} from '../../src/workflows/messages.ts';
import {Draws} from '../differential/draws.ts';
import {aFaultWorker, type FaultWorker} from '../support/fault-worker.ts';
import {aStack, type Stack} from '../support/stack.ts';
import {isLong, seed} from './length.ts';

/*
 * `freshet resume` by workers that are killed right before one of its statements: it is finished by the next worker, or, when the
 * run was terminated too, by the next `freshet resume`.
 */

const tables = ['main.t', 'main.reader'];

test('a resumption killed before it unpauses, or before it lifts the suspension, is finished by the next one', async () => {
  await using stack = await aStack({withWorker: false});
  await using first = aFaultWorker(stack);
  await using second = aFaultWorker(stack);
  await using third = aFaultWorker(stack);
  await create(stack, first);
  await suspend(stack);
  for (const [worker, next, statement] of [
    [first, second, 'schedule unpause'],
    [second, third, 'postgres update'],
  ] as const) {
    const held = worker.holdBefore(`^resumeTable: ${statement}`);
    const run = await start(stack);
    await held;
    await worker.kill();
    await run.terminate();
    next.begin();
  }
  expect(await stack.client.resume('t')).toMatchObject({outcome: 'resumed', readers: ['main.reader']});
  await expectResumed(stack);
});

test.runIf(isLong).each([
  ['paused', suspend],
  ['lost by Temporal', loseSchedules],
])(
  'resumptions of schedules that are %s, killed before any of their statements, are finished by the next worker or run',
  async (_, stop) => {
    await using stack = await aStack({withWorker: false});
    const draws = Draws.seeded(seed);
    let worker = aFaultWorker(stack);
    let standby = aFaultWorker(stack);
    await create(stack, worker);
    const survived: string[] = [];
    try {
      await stop(stack);
      worker.watch();
      await stack.client.resume('t');
      await expectResumed(stack);
      const all = worker.lastStatement()?.number ?? 0;
      for (let n = 1; n <= all; n++) {
        await stop(stack);
        const isTerminated = draws.chance(50);
        worker.dieBefore(n);
        const run = await start(stack);
        await worker.ended;
        survived.push(`${worker.lastStatement()?.text}${isTerminated ? ', terminated' : ''}`);
        if (isTerminated) await run.terminate();
        worker = standby;
        worker.begin();
        standby = aFaultWorker(stack);
        await (isTerminated ? stack.client.resume('t') : run.result());
        await expectResumed(stack);
      }
    } finally {
      console.log(`Resumptions survived ${survived.length} kills, seed ${seed}: ${survived.join(' | ')}`);
      await worker.kill();
      await standby.kill();
    }
  },
  3_600_000,
);

async function create(stack: Stack, worker: FaultWorker): Promise<void> {
  worker.begin();
  await stack.run('create table base as select i % 5 as k from range(100) as t(i)');
  await stack.create('t', 'select k, count(*) as n from base group by k');
  await stack.create('reader', 'select k from t where n > 1');
}

/** Both tables as five failures in a row leave them. */
async function suspend({metadata, temporal, prefix}: Stack): Promise<void> {
  const suspension: Suspension = {
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

/** What the client does, and then waits for. */
function start({temporal, prefix}: Stack) {
  return temporal.workflow.start(workflowTypes.resume, {
    workflowId: `${prefix}resume-${randomUUID()}`,
    taskQueue: taskQueue(prefix),
    args: [{table: 'main.t'} satisfies ResumeInput],
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
