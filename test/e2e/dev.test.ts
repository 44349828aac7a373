import {execFile, spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import {chmod, mkdtemp, readdir, readFile, rm, stat} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {isAlive, until} from '../../src/dev/process.ts';
import {stackFolder} from '../../src/dev/stack-file.ts';

const cli = path.resolve('dist/freshet.cjs');

/** A folder in which `freshet` is called; what still runs of its stack at the end is killed. */
async function aProject(): Promise<{folder: string} & AsyncDisposable> {
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-test-'));
  await chmod(folder, 0o711);
  return {
    folder,
    [Symbol.asyncDispose]: async () => {
      const lock = await readFile(path.join(folder, stackFolder, 'lock'), 'utf8').catch(() => '');
      if (lock !== '') await killAll(Number.parseInt(lock, 10));
      await rm(folder, {recursive: true, force: true});
    },
  };
}

type Dev = {readonly process: ChildProcess; readonly pid: number; readonly output: () => string};

/** Starts `freshet dev` and waits until it says that it runs. */
async function startDev(folder: string): Promise<Dev> {
  const child = spawn(process.execPath, [cli, 'dev'], {cwd: folder, stdio: ['ignore', 'pipe', 'pipe']});
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await until(async () => child.exitCode !== null || output.includes('Web UI'), 90_000);
  if (child.exitCode !== null || child.pid === undefined) throw new Error(`freshet dev ended: ${output}`);
  return {process: child, pid: child.pid, output: () => output};
}

async function freshet(folder: string, ...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [cli, ...args], {cwd: folder})).stdout;
}

async function parents(): Promise<Map<number, number>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  return new Map(pids.map((pid, i) => [pid, Number(stats[i]?.split(') ').at(-1)?.split(' ')[1])]));
}

/** A process and all that it has started, directly or not. */
async function family(pid: number): Promise<number[]> {
  const all = await parents();
  const found = [pid];
  for (const one of found) for (const [child, parent] of all) if (parent === one) found.push(child);
  return found;
}

async function killAll(pid: number): Promise<number[]> {
  const members = await family(pid);
  for (const member of members) if (await isAlive(member)) process.kill(member, 'SIGKILL');
  return members;
}

async function areGone(pids: readonly number[]): Promise<boolean> {
  return await until(async () => !(await Promise.all(pids.map(isAlive))).includes(true), 30_000);
}

test('freshet dev goes on where it was after Ctrl-C, and after everything was killed', async () => {
  await using project = await aProject();
  const {folder} = project;

  const first = await startDev(folder);
  await freshet(folder, 'sql', 'create table lake.main.orders as select 1 as id');
  await expect(temporalCli(first, 'operator', 'cluster', 'health')).resolves.toContain('SERVING');
  const members = await family(first.pid);
  expect(members.length).toBeGreaterThan(6);
  first.process.kill('SIGINT');
  expect(await once(first.process, 'exit')).toEqual([0, null]);
  expect(await areGone(members)).toBe(true);
  expect(existsSync(path.join(folder, stackFolder, 'stack.json'))).toBe(false);

  const second = await startDev(folder);
  await freshet(folder, 'sql', 'insert into lake.main.orders values (2)');
  expect(await areGone(await killAll(second.pid))).toBe(true);

  const third = await startDev(folder);
  expect(webUi(third)).toBe(webUi(first));
  const rows = await freshet(folder, 'sql', '--json', 'select id from lake.main.orders order by id');
  expect(JSON.parse(rows)).toMatchObject({results: [{rows: [[1], [2]]}]});
  third.process.kill('SIGINT');
  expect(await once(third.process, 'exit')).toEqual([0, null]);
});

/** Temporal's CLI in the words in which `freshet dev` prints it. */
async function temporalCli({output}: Dev, ...args: readonly string[]): Promise<string> {
  const command = /Temporal CLI +(.+)/.exec(output())?.[1] ?? '';
  return (await promisify(execFile)('/bin/sh', ['-c', `${command} ${args.join(' ')}`])).stdout;
}

function webUi({output}: Dev): string | undefined {
  return /http:\/\/127\.0\.0\.1:\d+/.exec(output())?.[0];
}

test('a second freshet dev in a folder is refused and names the first; the servers of a killed one end', async () => {
  await using project = await aProject();
  const {folder} = project;
  const first = await startDev(folder);
  const members = await family(first.pid);
  await expect(startDev(folder)).rejects.toThrow(`in use by process ${first.pid}`);

  const secrets = path.join(folder, stackFolder);
  for (const file of ['stack.json', 'env', 'pgpass', 'postgres/password']) {
    expect((await stat(path.join(secrets, file))).mode & 0o077).toBe(0);
  }
  const password = await readFile(path.join(secrets, 'postgres/password'), 'utf8');
  for (const log of ['worker/log', 'temporal/log', 'postgres/log']) {
    expect(await readFile(path.join(secrets, log), 'utf8')).not.toContain(password);
  }
  expect(first.output()).not.toContain(password);

  first.process.kill('SIGKILL');
  expect(await areGone(members)).toBe(true);
});
