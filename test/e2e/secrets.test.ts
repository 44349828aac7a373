import {networkInterfaces} from 'node:os';
import pg from 'pg';
import {expect, inject, test} from 'vitest';
import {freePort} from '../../src/dev/free-port.ts';
import {isOpen} from '../../src/dev/temporal-server.ts';
import {eventually} from '../support/eventually.ts';
import {temporalAddress} from '../support/servers.ts';
import {aStack, type Stack} from '../support/stack.ts';
import {aWorkerProcess} from '../support/worker-process.ts';

const password = 'CANARY_p@ss:w0rd';

test('passwords and keys are in no log, error, metric, history, description or table, whatever fails', async () => {
  await using stack = await aStack({withWorker: false});
  await using role = await aRole(stack);
  const port = await freePort();
  await using worker = aWorkerProcess(stack, {
    ...{FRESHET_LAKE: role.url, FRESHET_METADATA_URL: role.url, FRESHET_METRICS_ADDRESS: `127.0.0.1:${port}`},
    ...{AWS_ACCESS_KEY_ID: 'CANARY_id', AWS_SECRET_ACCESS_KEY: 'CANARY_key', FRESHET_LOG_LEVEL: 'debug'},
  });
  const {client} = stack;
  const told: unknown[] = [];
  const fails = async (work: Promise<unknown>) =>
    told.push(
      String(
        await work.then(
          () => expect.fail(),
          (error: unknown) => error,
        ),
      ),
    );

  await stack.run(`create table base as select i as id, 'x' || i as t from range(10) as t(i)`);
  await stack.create('fine', 'select count(*) as n from base');
  await stack.create('casts', `select sum(replace(t, 'x', '')::int) as s from base`);
  await fails(stack.create('none', 'select nosuch from base'));
  await fails(stack.create('hostile', `select * from postgres_query('freshet_lake', 'select 1')`));
  await fails(stack.create('setting', `select current_setting('allowed_directories') as x from base`));
  await stack.run(`insert into base values (11, 'no number')`);
  await fails(client.refresh('casts').then((refresh) => refresh.result()));

  // Nobody gets in any more: the worker tries again until somebody does.
  await role.change('another');
  const refresh = await client.refresh('fine');
  await eventually(
    () => Promise.resolve(worker.log()),
    (log) => log.includes('password authentication failed'),
  );
  told.push(await stack.temporal.workflow.getHandle(refresh.workflowId).describe());
  await role.change(password);
  expect(await refresh.result()).toMatchObject({outcome: 'refreshed'});

  told.push(worker.log(), await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  for (const {table} of await client.list()) told.push(await client.describe(table), await client.history(table));
  told.push(...(await whatTemporalKeeps(stack)), ...(await whatPostgresKeeps(stack)));
  const text = told.map(plainText).join('\n');
  expect(text).toContain('password authentication failed');
  expect(text).toContain('no number');
  expect(text.match(/.{0,200}CANARY.{0,50}/)).toBeNull();
  expect(text).not.toContain(new URL(stack.options.catalog).password);
});

test('the servers of the local stack listen on loopback only', async () => {
  const {port: postgres} = new URL(inject('postgresUrl'));
  const [, temporal = ''] = temporalAddress().split(':');
  const others = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const addresses = [
    '127.0.0.2',
    ...others.filter(({internal, family}) => !internal && family === 'IPv4').map(({address}) => address),
  ];
  for (const port of [postgres, temporal]) {
    expect(await isOpen(Number(port))).toBe(true);
    for (const host of addresses) expect([host, port, await isOpen(Number(port), host)]).toEqual([host, port, false]);
  }
});

/** A superuser of its own for the worker, whose password may change; then all its connections end. */
async function aRole({options}: Stack) {
  const admin = new pg.Client({connectionString: options.catalog});
  await admin.connect();
  const name = `canary_${process.pid}`;
  await admin.query(`create role ${name} superuser login password '${password}'`);
  return {
    url: Object.assign(new URL(options.catalog), {username: name, password}).href,
    change: async (to: string) => {
      await admin.query(`alter role ${name} password '${to}'`);
      await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${name}'`);
    },
    [Symbol.asyncDispose]: async () => {
      await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${name}'`);
      await admin.query(`drop owned by ${name} cascade`);
      await admin.query(`drop role ${name}`);
      await admin.end();
    },
  };
}

async function whatTemporalKeeps({temporal, prefix}: Stack): Promise<unknown[]> {
  const kept: unknown[] = [];
  for await (const schedule of temporal.schedule.list()) {
    if (schedule.scheduleId.startsWith(prefix))
      kept.push(await temporal.schedule.getHandle(schedule.scheduleId).describe());
  }
  for await (const execution of temporal.workflow.list()) {
    if (!execution.workflowId.startsWith(prefix)) continue;
    const handle = temporal.workflow.getHandle(execution.workflowId, execution.runId);
    kept.push(await handle.describe(), await handle.fetchHistory());
  }
  expect(kept.length).toBeGreaterThan(10);
  return kept;
}

/** Freshet's own tables, and what it writes into the lake beside rows. */
async function whatPostgresKeeps({metadata}: Stack): Promise<unknown[]> {
  const {rows} = await metadata.query<{name: string}>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname = 'freshet' or tablename in ('ducklake_snapshot_changes', 'ducklake_metadata') or tablename like 'ducklake_inlined_data_%'`,
  );
  return await Promise.all(rows.map(async ({name}) => (await metadata.query(`select * from ${name}`)).rows as unknown));
}

/** With what payloads hold, which JSON shows as numbers. */
function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof Uint8Array) return Buffer.from(part).toString();
    if (typeof part === 'bigint') return String(part);
    const isBuffer =
      typeof part === 'object' && part !== null && 'type' in part && part.type === 'Buffer' && 'data' in part;
    return isBuffer ? Buffer.from(part.data as number[]).toString() : part; // As Buffer's own toJSON writes it.
  });
}
