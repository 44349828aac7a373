import {randomUUID} from 'node:crypto';
import {expect, test} from 'vitest';
import {applyId} from '../../src/temporal-names.ts';
import {eventually} from '../support/eventually.ts';
import {aFakeLake} from '../support/fake-lake.ts';
import {gate} from '../support/gate.ts';
import {aWorker} from '../support/worker.ts';

test('a worker with one slot refreshes first the tables that have priority, and what they wait for', async () => {
  const lake = aFakeLake({
    ...{'main.first': ['main.base'], 'main.low': ['main.base'], 'main.middle': ['main.base']},
    ...{'main.below': ['main.base'], 'main.high': ['main.below']},
  });
  Object.assign(lake.priorities, {'main.low': 5, 'main.below': 5, 'main.high': 1});
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
  /** Until so many activities lie in the server's queue: only then it can choose among them. */
  const wait = (count: number): Promise<unknown> =>
    eventually(
      () =>
        worker.client.workflowService.describeTaskQueue({
          ...{namespace: 'default', taskQueue: {name: worker.taskQueue}, includeTaskQueueStatus: true},
          taskQueueType: 2, // Of activities.
        }),
      ({taskQueueStatus}) => Number(taskQueueStatus?.backlogCountHint) === count,
    );

  const runs = [refresh('main.first')];
  await busy.reached;
  for (const [queued, table] of ['main.low', 'main.middle', 'main.high'].entries()) {
    runs.push(refresh(table));
    await wait(queued + 1);
  }
  busy.open();
  await Promise.all(runs);

  expect(begun.filter((table) => table !== 'main.high')).toEqual([
    'main.first',
    'main.below',
    'main.middle',
    'main.low',
  ]);

  const priority = async (table: string): Promise<number | undefined> =>
    (await worker.client.workflow.getHandle(applyId(worker.prefix, table)).describe()).priority?.priorityKey;
  const tables = ['main.high', 'main.below', 'main.middle', 'main.low'];
  expect(await Promise.all(tables.map(priority))).toEqual([1, 1, 3, 5]);
});
