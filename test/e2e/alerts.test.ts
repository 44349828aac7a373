import {execFile} from 'node:child_process';
import {ScheduleOverlapPolicy} from '@temporalio/client';
import path from 'node:path';
import {expect, test} from 'vitest';
import {freePort} from '../../src/dev/free-port.ts';
import {exportedName, metrics, type Metric} from '../../src/metrics.ts';
import {anAlertReceiver} from '../support/alert-receiver.ts';
import {eventually} from '../support/eventually.ts';
import {aStack, type Stack} from '../support/stack.ts';
import {aWorkerProcess} from '../support/worker-process.ts';

test('a shipped worker suspends a table, posts alerts and shows metrics; freshet tells of it, and resumes it', async () => {
  await using receiver = await anAlertReceiver();
  await using stack = await aStack({withWorker: false});
  const port = await freePort();
  await using worker = aWorkerProcess(stack, {
    FRESHET_METRICS_ADDRESS: `127.0.0.1:${port}`,
    FRESHET_ALERT_URL: receiver.receiver.url,
    FRESHET_ALERT_SECRET: receiver.receiver.secret,
  });
  await stack.run(`create table base as select '1' as v`);
  await stack.create('numbers', 'select sum(cast(v as integer)) as s from base');
  await stack.run(`insert into base values ('x')`);
  // Four ticks that failed are in the books already.
  await stack.metadata.query('update freshet.dynamic_table set failures_in_a_row = 4');
  await stack.temporal.schedule
    .getHandle(`${stack.prefix}dynamic-table:main.numbers`)
    .trigger(ScheduleOverlapPolicy.BUFFER_ONE);
  const [post] = await receiver.posted('suspension', 1);
  expect(post?.headers['x-freshet-signature']).toBe(post && receiver.signature(post));
  expect(post?.alert).toMatchObject({table: 'main.numbers', trigger: 'schedule', failuresInARow: 5});

  const shown = await eventually(
    async () => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
    (text) => valueOf(text, metrics.suspended, 'table="main.numbers"') === 1,
  );
  expect(valueOf(shown, metrics.failuresInARow, 'table="main.numbers"')).toBe(5);
  expect(valueOf(shown, metrics.failures, 'code="data_error"')).toBe(1);
  expect(valueOf(shown, metrics.targetLag, 'table="main.numbers"')).toBe(86_400);
  expect(valueOf(shown, metrics.lag, 'table="main.numbers"')).toBeGreaterThan(0);
  expect(valueOf(shown, metrics.tables, '')).toBe(1);
  expect(valueOf(shown, metrics.alertPosts, 'kind="suspension"')).toBe(1);
  for (const metric of Object.values(metrics)) expect(shown).toContain(`\n${exportedName(metric)}`);

  const suspension = {code: 'data_error', error: expect.stringContaining("'x'"), kind: 'failures'};
  const list = await freshet(stack, 'list', '--json');
  expect(JSON.parse(list)).toMatchObject({tables: [{state: 'auto_suspended', failuresInARow: 5, suspension}]});
  expect(await freshet(stack, 'list')).toContain('main.numbers (auto_suspended)');
  expect(await freshet(stack, 'describe', 'numbers')).toMatch(
    /state +auto_suspended, until freshet resume main\.numbers\nsuspended +\S+, data_error: .*'x'/,
  );
  expect(await freshet(stack, 'history', 'numbers')).toContain('failed (data_error), suspended');
  expect(await freshet(stack, 'resume', 'numbers')).toBe('Resumed main.numbers: refreshed by schedule again.\n');
  const again = await freshet(stack, 'resume', 'numbers', '--json');
  expect(JSON.parse(again)).toEqual({table: 'main.numbers', outcome: 'active', readers: [], suspendedUpstream: null});

  expect(await worker.stop()).toBe(0);
  const runs: string[] = [];
  for await (const {workflowId, runId} of stack.temporal.workflow.list({query: `WorkflowType = 'sendAlert'`})) {
    if (!workflowId.startsWith(stack.prefix)) continue;
    runs.push(JSON.stringify(await stack.temporal.workflow.getHandle(workflowId, runId).fetchHistory()));
  }
  expect(runs).toHaveLength(2);
  for (const text of [...runs, worker.log(), shown]) {
    expect(text).not.toContain(receiver.receiver.secret);
    expect(text).not.toContain('t0ken-of-alerts');
  }
});

/** The value of the first series of a metric that has the label. */
function valueOf(text: string, metric: Metric, label: string): number {
  const name = exportedName(metric);
  const line = text
    .split('\n')
    .find((each) => /^[{ ]/.test(each.slice(name.length)) && each.startsWith(name) && each.includes(label));
  return Number(line?.split(' ').at(-1));
}

function freshet({config, options}: Stack, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const environment = {
      FRESHET_METADATA_URL: options.catalog,
      FRESHET_PREFIX: config.prefix,
      TEMPORAL_ADDRESS: config.temporal.connectionOptions.address,
    };
    execFile(
      process.execPath,
      [path.resolve('dist/freshet.cjs'), ...args],
      {env: {...process.env, ...environment}},
      (error, out, err) => (error === null ? resolve(out) : reject(new Error(err, {cause: error}))),
    );
  });
}
