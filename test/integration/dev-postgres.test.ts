import {chmod, mkdir, mkdtemp, readFile, rm, stat} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import pg from 'pg';
import {expect, test} from 'vitest';
import {startPostgres, type PostgresServer} from '../../src/dev/postgres.ts';
import {isAlive} from '../../src/dev/process.ts';

async function aFolder(): Promise<{folder: string} & AsyncDisposable> {
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-test-'));
  await chmod(folder, 0o711);
  return {folder, [Symbol.asyncDispose]: () => rm(folder, {recursive: true, force: true})};
}

async function query(server: PostgresServer, statement: string): Promise<unknown[][]> {
  const client = new pg.Client({connectionString: server.url('postgres')});
  await client.connect();
  try {
    return (await client.query<unknown[]>({text: statement, rowMode: 'array'})).rows;
  } finally {
    await client.end();
  }
}

async function postmaster(folder: string): Promise<number> {
  return Number.parseInt(await readFile(path.join(folder, 'data', 'postmaster.pid'), 'utf8'), 10);
}

test('data and password are the same after a stop and a start', async () => {
  await using place = await aFolder();
  const first = await startPostgres(place);
  await query(first, 'create table kept as select 42 as answer');
  await first.stop();
  const second = await startPostgres({...place, port: first.port});
  try {
    expect(await query(second, 'select answer from kept')).toEqual([[42]]);
    expect(second.url('x')).toBe(first.url('x'));
  } finally {
    await second.stop();
  }
  expect((await stat(path.join(place.folder, 'password'))).mode & 0o777).toBe(0o600);
});

test('a server that was left behind, or killed in the middle, is followed by one with all that was committed', async () => {
  await using place = await aFolder();
  const left = await startPostgres(place);
  await query(left, 'create table kept as select 1 as answer');
  const leftPid = await postmaster(place.folder);

  const killed = await startPostgres(place);
  expect(await isAlive(leftPid)).toBe(false);
  await query(killed, 'insert into kept values (2)');
  process.kill(await postmaster(place.folder), 'SIGKILL');

  const third = await startPostgres(place);
  try {
    expect(await query(third, 'select answer from kept order by 1')).toEqual([[1], [2]]);
  } finally {
    await third.stop();
  }
});

test.runIf(process.getuid?.() === 0)(
  'under root, a folder that PostgreSQL can not reach is named before it starts',
  async () => {
    await using place = await aFolder();
    const closed = path.join(place.folder, 'closed');
    await mkdir(closed, {mode: 0o700});
    await expect(startPostgres({folder: path.join(closed, 'postgres')})).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`may not pass through "${closed}"`),
      hint: expect.stringContaining(`chmod o+x ${closed}`),
    });
  },
);
