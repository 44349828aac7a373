import {expect, test} from 'vitest';
import {defaultSettings} from '../../src/definition/definition.ts';
import {currentSnapshot} from '../../src/lake/catalog.ts';
import {openLake} from '../../src/lake/lake.ts';
import {aLake} from '../support/lake.ts';
import {aLossyProxy} from '../support/lossy-proxy.ts';
import {isLong} from './length.ts';

/** By hand only, for it takes a minute and a half; `lake-session.test.ts` has the limits with a clock of its own. */
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
