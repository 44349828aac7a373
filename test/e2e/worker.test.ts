import {expect, test} from 'vitest';
import {isLong} from '../faults/length.ts';
import {eventually} from '../support/eventually.ts';
import {freePort} from '../../src/dev/free-port.ts';
import {aStack} from '../support/stack.ts';
import {aWorkerProcess} from '../support/worker-process.ts';

/** In CI `test/faults/kills.test.ts` kills workers, at random moments. */
test.runIf(isLong)('workers killed while they publish leave each change applied once', async () => {
  await using stack = await aStack({withWorker: false});
  await stack.run('create table base as select i as id, i % 500 as k, 1 as v from range(20000) as t(i)');
  let worker = aWorkerProcess(stack);
  try {
    await stack.create('totals', 'select k, count(*) as n, sum(v) as s from base group by k');
    await stack.create('copies', 'select k, v from base');
    for (let round = 0; round < 2; round++) {
      await stack.run(`insert into base select 100000 + i, i % 700, 1 from range(${5000 * (round + 1)}) as t(i)`);
      await stack.run(`delete from base where id % 50 = ${round}`);
      const handles = [await stack.client.refresh('totals'), await stack.client.refresh('copies')];
      await eventually(
        () => handles[0]!.progress(),
        (progress) => progress?.phase === 'publish' || progress?.phase === 'done',
      );
      await worker.kill();
      worker = aWorkerProcess(stack);
      for (const handle of handles) expect((await handle.result()).outcome).toMatch(/refreshed|joined|no-data/);
      for (const table of ['totals', 'copies'])
        expect(await stack.client.verify(table)).toMatchObject({verdict: 'equal'});
    }
    expect(await stack.rows('select sum(n)::bigint, sum(s)::bigint from totals')).toEqual(
      await stack.rows('select count(*), count(*) from base'),
    );
    expect(await stack.rows('select count(*) from copies')).toEqual(await stack.rows('select count(*) from base'));
  } finally {
    await worker.kill();
  }
});

test('a worker that is asked to stop finishes what runs, and says so in lines of JSON without secrets', async () => {
  await using stack = await aStack({withWorker: false});
  await stack.run('create table base as select i as v from range(10) as t(i)');
  const port = await freePort();
  const health = `127.0.0.1:${await freePort()}`;
  const addresses = {FRESHET_METRICS_ADDRESS: `127.0.0.1:${port}`, FRESHET_HEALTH_ADDRESS: health};
  await using worker = aWorkerProcess(stack, addresses);
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

  const ready = await fetch(`http://${health}/readyz`);
  expect({status: ready.status, answer: await ready.json()}).toEqual({
    status: 200,
    answer: {isReady: true, state: 'runs'},
  });

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
