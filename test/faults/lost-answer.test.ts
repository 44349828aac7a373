import {afterAll, beforeAll, expect, test} from 'vitest';
import type {RefreshHandle} from '../../src/client.ts';
import {aFaultWorker, type FaultWorker} from '../support/fault-worker.ts';
import {aLossyProxy, type LossyProxy} from '../support/lossy-proxy.ts';
import {aPair, type Pair} from './pair.ts';
import {seed} from './length.ts';

/** For all of these tests, one after another: to make them takes longer than what is tested. The worker's lake is behind the proxy. */
let pair: Pair;
let proxy: LossyProxy & AsyncDisposable;
let worker: FaultWorker;

beforeAll(async () => {
  pair = await aPair(seed);
  proxy = await aLossyProxy(pair.stack.options.catalog);
  worker = aFaultWorker(pair.stack, {FRESHET_LAKE: proxy.url});
  worker.begin();
  await pair.create();
});
afterAll(async () => {
  await worker.kill();
  await proxy[Symbol.asyncDispose]();
  await pair[Symbol.asyncDispose]();
});

test('a COMMIT that never arrived is tried again', async () => {
  const refresh = await heldAtCommit();
  const lost = proxy.lost();
  proxy.lose('request');
  worker.release();
  expect(await refresh.result()).toMatchObject({refresh: {action: 'INCREMENTAL'}});
  expect(proxy.lost()).toBe(lost + 1);
  await pair.expectWhole();
});

test('a COMMIT whose answer is lost, and its files with it, is repaired by the refresh itself; its reader begins anew', async () => {
  const {stack} = pair;
  const refresh = await heldAtCommit();
  const lost = proxy.lost();
  proxy.lose('answer');
  worker.release();
  expect(await refresh.result()).toMatchObject({refresh: {action: 'REINITIALIZE'}});
  expect(proxy.lost()).toBe(lost + 1);
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
  const {stack} = pair;
  await using next = aFaultWorker(stack);
  const refresh = await heldAtCommit();
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

/** A refresh of a change that is about to commit, and waits for the worker's release. */
async function heldAtCommit(): Promise<RefreshHandle> {
  await pair.change();
  const held = worker.holdBefore('^publishRefresh: COMMIT');
  const refresh = await pair.stack.client.refresh('totals');
  await held;
  return refresh;
}
