import {expect, test} from 'vitest';
import {applyId} from '../../src/temporal-names.ts';
import {aFaultWorker, type FaultWorker} from '../support/fault-worker.ts';
import {eventually} from '../support/eventually.ts';
import {aPair, type Pair} from './pair.ts';
import {seed} from './length.ts';

/*
 * Runs and workers that are taken for dead and are not: whatever they still do, each change is taken in once.
 */

const commit = '^publishRefresh: COMMIT';

test('a worker that stands still past its heartbeat is replaced, and what it does afterwards changes nothing', async () => {
  await using pair = await aPair(seed);
  const {stack} = pair;
  await using one = aFaultWorker(stack);
  await using other = aFaultWorker(stack);
  one.begin();
  await pair.create();
  await pair.change();
  const held = one.holdBefore(commit);
  const refresh = await stack.client.refresh('totals');
  await held;
  process.kill(one.pid, 'SIGSTOP');
  other.begin();
  await refresh.result();
  one.watch();
  one.release();
  process.kill(one.pid, 'SIGCONT');
  await afterCommit(one);
  await pair.expectWhole({mayFail: true});
  await pair.change();
  await (await stack.client.refresh('totals')).result();
  await pair.expectWhole({mayFail: true});
});

test('a statement that outlives its terminated run publishes at most what nobody else has', async () => {
  await using pair = await aPair(seed);
  const {stack} = pair;
  await using worker = aFaultWorker(stack);
  worker.begin();
  await pair.create();

  // The zombie commits before anybody else: the next run finds its publication in the lake and puts it down.
  await pair.change();
  await terminatedBeforeCommit(pair, worker);
  worker.release();
  await eventually(
    () => stack.rows(`select generation from freshet_state."main.copies"`),
    ([row]) => row?.[0] === 2,
  );
  await (await stack.client.refresh('totals')).result();
  await pair.expectWhole({mayFail: true});

  // The zombie comes late.
  await pair.change();
  await terminatedBeforeCommit(pair, worker);
  await (await stack.client.refresh('totals')).result();
  worker.watch();
  worker.release();
  await afterCommit(worker);
  await pair.expectWhole({mayFail: true});
});

/** A refresh whose first table is ready to commit, and whose runs nobody has told of their end. */
async function terminatedBeforeCommit({stack}: Pair, worker: FaultWorker): Promise<void> {
  const held = worker.holdBefore(commit);
  const refresh = await stack.client.refresh('totals');
  await held;
  await stack.temporal.workflow.getHandle(applyId(stack.prefix, 'main.copies')).terminate('by a test');
  await stack.temporal.workflow.getHandle(refresh.workflowId).terminate('by a test');
  await expect(refresh.result()).rejects.toThrow();
}

/** It was refused, or given up for too late: then it rolls back, or looks for its publication. */
async function afterCommit(worker: FaultWorker): Promise<void> {
  await eventually(
    () => Promise.resolve(worker.log()),
    (log) => /publishRefresh: (ROLLBACK|SELECT)/.test(log),
  );
}
