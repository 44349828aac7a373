import {expect, test} from 'vitest';
import {applyId} from '../../src/temporal-names.ts';
import {aFakeLake} from '../support/fake-lake.ts';
import {aWorker} from '../support/worker.ts';

test('a refresh has the priority of its table, or that of a table which waits for it, if it is higher', async () => {
  const lake = aFakeLake({
    ...{'main.low': ['main.base'], 'main.middle': ['main.base']},
    ...{'main.below': ['main.base'], 'main.high': ['main.below']},
  });
  Object.assign(lake.priorities, {'main.low': 4, 'main.below': 5, 'main.high': 1});
  await using worker = await aWorker(lake.activities);
  const tables = ['main.low', 'main.middle', 'main.high'];
  await Promise.all(tables.map((table) => worker.execute('refreshDynamicTable', {table})));

  const priority = async (table: string): Promise<number | undefined> =>
    (await worker.client.workflow.getHandle(applyId(worker.prefix, table)).describe()).priority?.priorityKey;
  expect(await priority('main.low')).toBe(4);
  expect(await priority('main.middle')).toBe(3);
  expect(await priority('main.high')).toBe(1);
  expect(await priority('main.below')).toBe(1);
});
