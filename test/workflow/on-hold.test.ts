import {expect, test} from 'vitest';
import {FreshetClient} from '../../src/client.ts';
import {eventually} from '../support/eventually.ts';
import {aStack} from '../support/stack.ts';

test('whoever waits is told that no worker takes it, and what an attempt failed of', async () => {
  await using stack = await aStack({withWorker: false});
  await stack.run('create table base as select 1 as v');
  const told: string[] = [];
  const hears = (times: number) =>
    eventually(
      () => Promise.resolve(told.length),
      (count) => count >= times,
    );
  const onHold = (why: string) => void told.push(why);
  const {temporal, prefix} = stack;
  await using client = new FreshetClient({temporal, metadataUrl: stack.options.catalog, prefix, onHold});
  const created = client.create(`create dynamic table total target_lag = '1 day' as select sum(v) as s from base`);
  await hears(1);
  expect(told).toEqual([
    expect.stringMatching(
      /^No worker takes work from the task queue .*: start freshet worker, or name .* in FRESHET_TASK_QUEUE$/,
    ),
  ]);

  // The worker's own database goes on, so that it begins; what it looks for in it is not there.
  await stack.metadata.query('alter table freshet.dynamic_table rename to hidden');
  await stack.startWorker();
  await hears(2);
  expect(told[1]).toMatch(/^Attempt \d+ failed, and is made again: .*"freshet\.dynamic_table" does not exist/);
  await stack.metadata.query('alter table freshet.hidden rename to dynamic_table');
  expect(await created).toMatchObject({outcome: 'created'});
});
