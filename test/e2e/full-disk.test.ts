import {readdir} from 'node:fs/promises';
import {expect, test} from 'vitest';
import {eventually} from '../support/eventually.ts';
import {aStack} from '../support/stack.ts';
import {aWorkerProcess} from '../support/worker-process.ts';

test('a refresh on a full disk is tried again, leaves nothing half, and goes on where there is room', async () => {
  await using stack = await aStack({withWorker: false});
  await stack.run('create table base as select i as id, md5(i::varchar) as t from range(1000) as t(i)');
  const empty = aWorkerProcess(stack);
  await stack.create('copies', 'select id, t from base', 'cardinality_threshold = 1');
  await empty.stop();
  await stack.run('insert into base select i, md5(i::varchar) || md5(t) from base, range(200) as t(i)');
  await stack.run('insert into base select i, t from base, range(2) as t(i)');

  const full = aWorkerProcess(stack, {}, {mostBytes: 64 * 1024});
  const refresh = await stack.client.refresh('copies');
  await eventually(
    () => Promise.resolve(full.log()),
    (log) => log.split('File too large').length > 3,
  );
  await full.stop();
  expect(await stack.rows('select count(*) from copies')).toEqual([[1000]]);
  expect((await filesIn(stack.options.stagingPath)).filter((file) => file.endsWith('.parquet'))).toEqual([]);

  await using worker = aWorkerProcess(stack);
  expect(await refresh.result()).toMatchObject({outcome: 'refreshed'});
  expect(await stack.client.verify('copies')).toMatchObject({verdict: 'equal'});
  await worker.stop();
});

async function filesIn(folder: string): Promise<string[]> {
  return await readdir(folder, {recursive: true}).catch(() => []);
}
