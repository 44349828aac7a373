import {expect, test} from 'vitest';
import type {RefreshHandle} from '../../src/client.ts';
import {aFaultWorker, type FaultWorker} from '../support/fault-worker.ts';
import {aLossyProxy} from '../support/lossy-proxy.ts';
import {aPair, type Pair} from './pair.ts';
import {seed} from './length.ts';

test('a COMMIT whose answer is lost, and its files with it, is repaired by the refresh itself; its reader begins anew', async () => {
  await using pair = await aPair(seed);
  const {stack} = pair;
  await using proxy = await aLossyProxy(stack.options.catalog);
  await using worker = aFaultWorker(stack, {FRESHET_LAKE: proxy.url});
  worker.begin();
  await pair.create();

  const refresh = await heldAtCommit(pair, worker);
  proxy.lose('answer');
  worker.release();
  expect(await refresh.result()).toMatchObject({refresh: {action: 'REINITIALIZE'}});
  expect(proxy.lost()).toBe(1);
  expect(await stack.client.verify('copies')).toMatchObject({verdict: 'equal'});
  expect(await stack.client.verify('totals')).toMatchObject({verdict: 'equal'});
  const [copies] = await stack.client.history('copies');
  expect(copies).toMatchObject({
    action: 'REINITIALIZE',
    reason: expect.stringContaining('a COMMIT whose answer was lost') as string,
    error: null,
  });

  await pair.change();
  expect(await (await stack.client.refresh('totals')).result()).toMatchObject({refresh: {action: 'INCREMENTAL'}});
  expect(await stack.client.verify('totals')).toMatchObject({verdict: 'equal'});
});

test('a worker that dies before it has repaired what a lost answer cost leaves the repair to the next one', async () => {
  await using pair = await aPair(seed);
  const {stack} = pair;
  await using proxy = await aLossyProxy(stack.options.catalog);
  await using worker = aFaultWorker(stack, {FRESHET_LAKE: proxy.url});
  await using next = aFaultWorker(stack);
  worker.begin();
  await pair.create();

  const refresh = await heldAtCommit(pair, worker);
  proxy.lose('answer');
  const successor = worker.holdBefore('^publishRefresh: CREATE TABLE');
  worker.release();
  await successor;
  await worker.kill();
  await expect(stack.rows('from copies')).rejects.toThrow('No such file');
  next.begin();
  await refresh.result();
  expect(await stack.client.verify('copies')).toMatchObject({verdict: 'equal'});
  expect(await stack.client.verify('totals')).toMatchObject({verdict: 'equal'});
});

test('a COMMIT that never arrived is tried again', async () => {
  await using pair = await aPair(seed);
  const {stack} = pair;
  await using proxy = await aLossyProxy(stack.options.catalog);
  await using worker = aFaultWorker(stack, {FRESHET_LAKE: proxy.url});
  worker.begin();
  await pair.create();

  const refresh = await heldAtCommit(pair, worker);
  proxy.lose('request');
  worker.release();
  expect(await refresh.result()).toMatchObject({refresh: {action: 'INCREMENTAL'}});
  expect(proxy.lost()).toBe(1);
  await pair.expectWhole();
});

/** A refresh of a change that is about to commit, and waits for the worker's release. */
async function heldAtCommit({change, stack}: Pair, worker: FaultWorker): Promise<RefreshHandle> {
  await change();
  const held = worker.holdBefore('^publishRefresh: COMMIT');
  const refresh = await stack.client.refresh('totals');
  await held;
  return refresh;
}
