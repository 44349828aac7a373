import {randomUUID} from 'node:crypto';
import {expect, test} from 'vitest';
import {applyId} from '../../src/temporal-names.ts';
import {eventually} from '../support/eventually.ts';
import {aFakeLake} from '../support/fake-lake.ts';
import {gate} from '../support/gate.ts';
import {aWorker} from '../support/worker.ts';

test('a worker with one slot does first what has priority, and what that waits for', async () => {
  const lake = aFakeLake({
    ...{'main.first': ['main.base'], 'main.low': ['main.base'], 'main.middle': ['main.base']},
    ...{'main.below': ['main.base'], 'main.high': ['main.below']},
  });
  Object.assign(lake.priorities, {'main.low': 4, 'main.below': 5, 'main.high': 1});
  const busy = gate();
  lake.onPublish = (table) => (table === 'main.first' ? busy.pass() : Promise.resolve());
  const begun: string[] = [];
  await using worker = await aWorker(
    (prefix) => {
      const {lookUpSnapshots, ...others} = lake.activities(prefix);
      return {
        ...others,
        lookUpSnapshots: (input) => {
          begun.push(input.apply.table);
          return lookUpSnapshots!(input); // A fake lake has it.
        },
      };
    },
    {slots: 1},
  );
  const refresh = (table: string): Promise<unknown> =>
    worker.execute('refreshDynamicTable', {table}, `${worker.prefix}${randomUUID()}`);
  /** Until the table's first activity lies in the queue. */
  const waits = (table: string): Promise<unknown> =>
    eventually(
      () =>
        worker.client.workflow
          .getHandle(applyId(worker.prefix, table))
          .describe()
          .catch(() => null),
      (apply) => (apply?.raw.pendingActivities?.length ?? 0) > 0,
    );

  const runs = [refresh('main.first')];
  await busy.reached;
  for (const [table, waiting] of [
    ['main.low', 'main.low'],
    ['main.middle', 'main.middle'],
    ['main.high', 'main.below'],
  ] as const) {
    runs.push(refresh(table));
    await waits(waiting);
  }
  busy.open();
  await Promise.all(runs);

  expect(begun.filter((table) => table !== 'main.high')).toEqual([
    'main.first',
    'main.below',
    'main.middle',
    'main.low',
  ]);
});
