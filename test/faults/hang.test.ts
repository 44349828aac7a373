import {expect, test} from 'vitest';
import {FreshetClient} from '../../src/client.ts';
import {defaultSettings} from '../../src/definition/definition.ts';
import {currentSnapshot} from '../../src/lake/catalog.ts';
import {openLake} from '../../src/lake/lake.ts';
import {aFaultWorker} from '../support/fault-worker.ts';
import {gate} from '../support/gate.ts';
import {aLake} from '../support/lake.ts';
import {aLossyProxy} from '../support/lossy-proxy.ts';
import {isLong, seed} from './length.ts';
import {aPair} from './pair.ts';

/*
 * By hand only, for each takes minutes: a PostgreSQL that takes every word and answers none. `lake-session.test.ts` has the limits
 * with a clock of its own.
 */

test.runIf(isLong)(
  'a PostgreSQL that hangs while a statement computes fails it within minutes',
  async () => {
    await using lake = await aLake();
    await using proxy = await aLossyProxy(lake.options.catalog);
    const ours = openLake({...lake.options, catalog: proxy.url});
    await ours.look(currentSnapshot);
    const failure = ours.compute(defaultSettings, async (session) => {
      await session.rows({text: 'SELECT 1'});
      proxy.freeze();
      return await currentSnapshot(session);
    });
    await expect(failure).rejects.toMatchObject({kind: 'connection'});
    proxy.thaw();
    ours.close();
  },
  240_000,
);

test
  .runIf(isLong)
  .each([
    '^lookUpSnapshots: BEGIN',
    '^extractChanges: CREATE',
    '^publishRefresh: INSERT',
    '^publishRefresh: COMMIT',
    '^recordRefresh: postgres insert into freshet.refresh',
  ])(
  'a refresh beneath which PostgreSQL hangs from %s on says so, and goes on when PostgreSQL does',
  async (place) => {
    await using hung = await hungAt(place);
    await hung.told;
    hung.thaw();
    await hung.result;
    await hung.pair.expectWhole({mayFail: true});
  },
  1_200_000,
);

test.runIf(isLong)(
  'a refresh that a hanging PostgreSQL does not let begin fails as unavailable, and the next one goes through',
  async () => {
    await using hung = await hungAt('^chooseVersion: BEGIN');
    const {pair, result, told} = hung;
    const failure = result.catch((error: unknown) => error);
    // That it has failed can't be put down either.
    await told;
    hung.thaw();
    expect(await failure).toMatchObject({code: 'unavailable'});
    await (await pair.stack.client.refresh('totals')).result();
    await pair.expectWhole({mayFail: true});
  },
  1_200_000,
);

/** A refresh whose PostgreSQL takes every word and answers none from a statement on; `told` resolves when it says so. */
async function hungAt(place: string) {
  const pair = await aPair(seed);
  const {stack} = pair;
  const proxy = await aLossyProxy(stack.options.catalog);
  const worker = aFaultWorker(stack, {FRESHET_LAKE: proxy.url});
  const told = gate();
  const started = performance.now();
  const onHold = (why: string) => {
    console.log(`Hung at ${place}: told after ${Math.round((performance.now() - started) / 1000)} s: ${why}`);
    told.mark();
  };
  const client = new FreshetClient({temporal: stack.temporal, prefix: stack.prefix, onHold});
  worker.begin();
  await pair.create();
  await pair.change();
  const held = worker.holdBefore(place);
  const refresh = await client.refresh('totals');
  await held;
  proxy.freeze();
  worker.release();
  return {
    pair,
    told: told.reached,
    thaw: proxy.thaw,
    result: refresh.result(),
    [Symbol.asyncDispose]: async () => {
      await worker.kill();
      await client.close();
      await proxy[Symbol.asyncDispose]();
      await pair[Symbol.asyncDispose]();
    },
  };
}
