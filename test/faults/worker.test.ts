import {afterAll, beforeAll, expect, test} from 'vitest';
import {applyId} from '../../src/temporal-names.ts';
import {aFaultWorker, type FaultWorker} from '../support/fault-worker.ts';
import {eventually} from '../support/eventually.ts';
import {aPair, type Pair} from './pair.ts';
import {seed} from './length.ts';

/*
 * Runs and workers that are taken for dead and are not: whatever they still do, each change is taken in once.
 */

const commit = '^publishRefresh: COMMIT';

/** For both tests, one after the other: to make them takes longer than what is tested. */
let pair: Pair;
let worker: FaultWorker;

beforeAll(async () => {
  pair = await aPair(seed);
  worker = aFaultWorker(pair.stack);
  worker.begin();
  await pair.create();
});
afterAll(async () => {
  await worker.kill();
  await pair[Symbol.asyncDispose]();
});

test('a statement that outlives its terminated run publishes at most what nobody else has', async () => {
  const {stack} = pair;
  // The zombie commits before anybody else: the next run finds its publication in the lake and puts it down.
  await pair.change();
  await terminatedBeforeCommit();
  worker.release();
  await eventually(
    () => stack.rows(`select generation from freshet_state."main.copies"`),
    ([row]) => row?.[0] === 2,
  );
  await (await stack.client.refresh('totals')).result();
  await pair.expectWhole({mayFail: true});

  // The zombie comes late.
  await pair.change();
  await terminatedBeforeCommit();
  await (await stack.client.refresh('totals')).result();
  await commitsToo();
  await pair.expectWhole({mayFail: true});
});

test('a worker that stands still past its heartbeat is replaced, and what it does afterwards changes nothing', async () => {
  const {stack} = pair;
  await using other = aFaultWorker(stack);
  await pair.change();
  const held = worker.holdBefore(commit);
  const refresh = await stack.client.refresh('totals');
  await held;
  process.kill(worker.pid, 'SIGSTOP');
  other.begin();
  await refresh.result();
  await commitsToo(() => process.kill(worker.pid, 'SIGCONT'));
  await pair.expectWhole({mayFail: true});
  await pair.change();
  await (await stack.client.refresh('totals')).result();
  await pair.expectWhole({mayFail: true});
});

/** A refresh whose first table is ready to commit, and whose runs nobody has told of their end. */
async function terminatedBeforeCommit(): Promise<void> {
  const {stack} = pair;
  const held = worker.holdBefore(commit);
  const refresh = await stack.client.refresh('totals');
  await held;
  await stack.temporal.workflow.getHandle(applyId(stack.prefix, 'main.copies')).terminate('by a test');
  await stack.temporal.workflow.getHandle(refresh.workflowId).terminate('by a test');
  await expect(refresh.result()).rejects.toThrow();
}

/** Lets the worker go on. It is refused, or gives up for too late: then it rolls back, or looks for its publication. */
async function commitsToo(wake: () => unknown = () => undefined): Promise<void> {
  const before = worker.log().length;
  worker.watch();
  worker.release();
  wake();
  await eventually(
    () => Promise.resolve(worker.log().slice(before)),
    (log) => /publishRefresh: (ROLLBACK|SELECT)/.test(log),
  );
}
