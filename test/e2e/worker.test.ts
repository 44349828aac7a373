import {expect, test} from 'vitest';
import {eventually} from '../support/eventually.ts';
import {freePort} from '../../src/dev/free-port.ts';
import {aStack} from '../support/stack.ts';
import {aWorkerProcess} from '../support/worker-process.ts';

test('a worker that is asked to stop finishes what runs, and says so in lines of JSON without secrets', async () => {
  await using stack = await aStack({withWorker: false});
  await stack.run('create table base as select i as v from range(10) as t(i)');
  const port = await freePort();
  await using worker = aWorkerProcess(stack, {FRESHET_METRICS_ADDRESS: `127.0.0.1:${port}`});
  await stack.create('total', 'select sum(v) as s from base');
  await stack.run('insert into base values (100)');
  const refresh = await stack.client.refresh('total');
  await eventually(
    () => refresh.progress(),
    (progress) => progress !== null && progress.phase !== 'choose',
  );
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).toMatch(/freshet_refreshes_total\{.*action="INITIAL".*\} 1/);
  expect(metrics).toMatch(/temporal_/);

  expect(await worker.stop()).toBe(0);
  const lines = worker.log().trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as {level: string}).level)).not.toContain('error');
  const {password} = new URL(stack.options.catalog);
  expect(password).not.toBe('');
  expect(worker.log()).not.toContain(password);
  await using next = aWorkerProcess(stack);
  expect((await refresh.result()).outcome).toBe('refreshed');
  expect(await next.stop()).toBe(0);
});
