import {execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import pg from 'pg';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {exitCodes} from '../../src/cli/exit-code.ts';
import {freePort} from '../../src/dev/free-port.ts';
import {openMetadata} from '../../src/metadata/database.ts';
import {migrate} from '../../src/metadata/migrate.ts';
import {aSecureTemporal} from '../support/secure-temporal.ts';
import {aDatabase, temporalAddress} from '../support/servers.ts';
import type {Said} from '../support/freshet.ts';

/** The command, shown servers that are not there, are others, or do not let it in. */
const cli = path.resolve('dist/freshet.cjs');
const secret = 'CANARY_pass:w@rd';

let folder: string;
let database: Awaited<ReturnType<typeof aDatabase>>;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'freshet-test-'));
  database = await aDatabase();
  const metadata = openMetadata(database.url);
  await migrate(metadata);
  await metadata.end();
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await rm(folder, {recursive: true, force: true});
});

/** Of the test's database, with parts that are wrong. */
function urlWith(parts: Partial<Pick<URL, 'password' | 'port' | 'pathname' | 'hostname'>>): string {
  return Object.assign(new URL(database.url), {password: secret, ...parts}).href;
}

function environment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    TEMPORAL_ADDRESS: temporalAddress(),
    FRESHET_METADATA_URL: database.url,
    FRESHET_LAKE_DATA_PATH: path.join(folder, 'data'),
    ...more,
  };
}

function freshet(args: readonly string[], more: Readonly<Record<string, string>> = {}, input = ''): Promise<Said> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [cli, ...args],
      {cwd: folder, env: environment(more)},
      (error, out, err) => {
        resolve({status: error === null ? 0 : Number(error.code), out, err});
      },
    );
    child.stdin?.end(input);
  });
}

async function says(said: Promise<Said>, code: keyof typeof exitCodes, ...texts: readonly string[]): Promise<void> {
  const {status, out, err} = await said;
  expect(err).toContain(`Error (${code})`);
  for (const text of texts) expect(err).toContain(text);
  expect(`${out}${err}`).not.toMatch(/CANARY|w%40rd|\n {4}at /);
  expect(status).toBe(exitCodes[code]);
}

const metadata = (parts: Parameters<typeof urlWith>[0]) => freshet(['list'], {FRESHET_METADATA_URL: urlWith(parts)});
const lake = (parts: Parameters<typeof urlWith>[0]) => freshet(['sql', 'select 1'], {FRESHET_LAKE: urlWith(parts)});
const temporal = (more: Readonly<Record<string, string>>) => freshet(['refresh', 'orders'], more);

test('PostgreSQL that is not there or does not let us in: what, where, and what to do', async () => {
  const {host, password} = new URL(database.url);
  const where = [`should be at ${host}`, 'FRESHET_METADATA_URL'];
  await says(metadata({}), 'unavailable', 'password authentication failed', ...where);
  await says(metadata({password, pathname: '/nowhere'}), 'unavailable', '"nowhere" does not exist');
  await says(metadata({port: '1'}), 'unavailable', 'ECONNREFUSED', '127.0.0.1:1, database');
  await says(metadata({hostname: 'nowhere.invalid'}), 'unavailable', 'nowhere.invalid');
  await says(freshet(['list'], {FRESHET_METADATA_URL: 'mysql://x'}), 'invalid_configuration', 'FRESHET_METADATA_URL');
});

test('a lake that is not there or does not let us in: what, where, and what to do', async () => {
  const {password, port} = new URL(database.url);
  await says(lake({}), 'unavailable', 'password authentication failed', `port ${port}`, 'FRESHET_LAKE right?');
  await says(lake({password, pathname: '/nowhere'}), 'unavailable', '"nowhere" does not exist');
  await says(lake({port: '1'}), 'unavailable', 'port 1 failed');
  await says(freshet(['sql', 'select 1'], {FRESHET_LAKE: 'nonsense'}), 'invalid_configuration', 'FRESHET_LAKE');
  const there = {FRESHET_LAKE: database.url};
  expect(await freshet(['sql', 'create table t as select 1'], there)).toMatchObject({status: 0});
  const elsewhere = {...there, FRESHET_LAKE_DATA_PATH: path.join(folder, 'elsewhere')};
  await says(freshet(['sql', 'from t'], elsewhere), 'invalid_configuration', path.join(folder, 'data'));
});

test('Temporal that is not there, is none, or lacks our namespace, and an address that is taken: what, where, and what to do', async () => {
  const web = createServer((_, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(web.address() as AddressInfo).port}`; // A TCP server that listens.
  const looking = Promise.all([['list'], ['history']].map((args) => freshet(args, {TEMPORAL_ADDRESS: '127.0.0.1:1'})));
  const started = performance.now();
  await says(temporal({TEMPORAL_ADDRESS: '127.0.0.1:1'}), 'unavailable', 'Temporal at 127.0.0.1:1', 'TEMPORAL_*');
  expect(performance.now() - started).toBeLessThan(20_000);
  await says(temporal({TEMPORAL_ADDRESS: address}), 'unavailable', 'Temporal');
  const taken = freshet(['worker'], {FRESHET_LAKE: database.url, FRESHET_HEALTH_ADDRESS: address});
  await says(taken, 'invalid_configuration', `FRESHET_HEALTH_ADDRESS is "${address}"`, 'EADDRINUSE');
  await says(temporal({TEMPORAL_NAMESPACE: 'nowhere'}), 'unavailable', 'no namespace "nowhere"', 'TEMPORAL_*');
  web.closeAllConnections();
  web.close();
  // What PostgreSQL knows can be looked at all the same.
  expect(await looking).toMatchObject([
    {
      status: 0,
      out: expect.stringContaining('no dynamic table yet'),
      err: expect.stringMatching(/^Temporal can't be reached: .*\n$/),
    },
    {status: 0, err: ''},
  ]);
});

test('metadata of another version: what to do; the worker ends, for waiting mends nothing', async () => {
  await using old = await aDatabase();
  const FRESHET_METADATA_URL = old.url;
  await says(freshet(['list'], {FRESHET_METADATA_URL}), 'schema_version', 'FRESHET_MIGRATE=true');
  const worker = freshet(['worker'], {FRESHET_METADATA_URL, FRESHET_LAKE: old.url});
  await says(worker, 'schema_version', 'FRESHET_MIGRATE=true');
  const client = new pg.Client({connectionString: old.url});
  await client.connect();
  await client.query('create schema freshet');
  await client.query('create table freshet.migration (number integer primary key)');
  await client.query('insert into freshet.migration values (1000)');
  await client.end();
  await says(freshet(['list'], {FRESHET_METADATA_URL}), 'schema_version', 'newer Freshet');
});

test('a worker waits for servers that are not there, lives, says for which, without a password, and stops when asked to', async () => {
  await using secure = await aSecureTemporal(temporalAddress(), {isAuthority: true});
  for (const [more, server] of [
    [{FRESHET_METADATA_URL: urlWith({})}, 'PostgreSQL'],
    [{TEMPORAL_ADDRESS: '127.0.0.1:1'}, 'Temporal'],
    [secure.environment, 'Temporal'],
  ] as const) {
    const what = `${server} can't be reached yet`;
    const address = `127.0.0.1:${await freePort()}`;
    const env = environment({FRESHET_LAKE: urlWith({}), FRESHET_HEALTH_ADDRESS: address, ...more});
    const worker = spawn(process.execPath, [cli, 'worker'], {cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe']});
    let log = '';
    const said = new Promise<void>((resolve) => {
      worker.stderr.on('data', (chunk: Buffer) => {
        log += chunk.toString();
        if (log.split(what).length > 2) resolve();
      });
    });
    await Promise.race([said, once(worker, 'exit')]);
    expect(worker.exitCode).toBeNull();
    expect((await fetch(`http://${address}/livez`)).status).toBe(200);
    const ready = await fetch(`http://${address}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({isReady: false, state: `waits for ${server}`});
    worker.kill('SIGTERM');
    if (worker.exitCode === null) await once(worker, 'exit');
    expect(worker.exitCode).toBe(0);
    expect(log).toContain(what);
    expect(log).not.toMatch(/CANARY|w%40rd/);
  }
});

test('garbage on the command line: one clear line, and status 2', async () => {
  await writeFile(path.join(folder, 'empty.sql'), ' \n');
  await writeFile(path.join(folder, 'binary.sql'), Buffer.from([0, 255, 254, 1, 2, 3]));
  for (const [args, told] of [
    [['lst'], 'Did you mean list?'],
    [['refresh'], "missing required argument 'table'"],
    [['refresh', 'a', 'b'], 'too many arguments'],
    [['history', '--limit', 'many'], 'It is a whole number from 1.'],
    [['list', '--nonsense'], "unknown option '--nonsense'"],
    [['sql', '--file', 'nowhere.sql'], 'File "nowhere.sql" can\'t be read'],
    [['sql', '--file', '.'], 'File "." can\'t be read'],
    [['sql', '--file', 'empty.sql'], 'The statement is empty.'],
    [['create', '--file', 'binary.sql'], 'no text'],
    [['create', 'select 1', '--file', 'empty.sql'], 'not both'],
    [['create'], 'The statement is empty.'],
    [['sql', '-'], 'The statement is empty.'],
    [['explain'], 'The statement is empty.'],
    [['validate', 'nowhere.sql'], 'File "nowhere.sql" can\'t be read'],
    [['validate', '.'], 'File "binary.sql" is no text'],
  ] as const) {
    const {status, out, err} = await freshet(args);
    expect(err, args.join(' ')).toContain(told);
    expect(err.trim().split('\n').length, err).toBeLessThan(4);
    expect({status, out}).toEqual({status: 2, out: ''});
  }
});

test('output for which there is no room: one line, and a status that tells', async () => {
  const child = execFile('/bin/sh', ['-c', 'exec "$0" "$@" > /dev/full', process.execPath, cli, 'list'], {
    env: environment({}),
  });
  let err = '';
  child.stderr?.on('data', (text: string) => (err += text));
  await once(child, 'close');
  expect(err).toBe("error: The output can't be written: ENOSPC: no space left on device, write\n");
  expect(child.exitCode).toBe(1);
});
