import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {expect, test, vi} from 'vitest';
import {freePort} from '../../src/dev/free-port.ts';
import {startKept} from '../../src/dev/kept-process.ts';
import {lockFolder, lockHolder} from '../../src/dev/lock.ts';
import {commandLine, isAlive, until} from '../../src/dev/process.ts';
import {provisionTemporalCli} from '../../src/dev/provision.ts';
import {startTemporal} from '../../src/dev/temporal-server.ts';

async function aFolder(): Promise<{folder: string} & AsyncDisposable> {
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-test-'));
  return {folder, [Symbol.asyncDispose]: () => rm(folder, {recursive: true, force: true})};
}

/** A process that ended and was not waited for: its shell has become a program that never asks. */
async function aZombie(): Promise<{pid: number} & Disposable> {
  const parent = spawn('/bin/sh', ['-c', 'exec 3<&0; cat <&3 >&2 & echo $!; exec sleep 60'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  await until(async () => (await commandLine(parent.pid ?? 0)) === 'sleep 60', 5_000);
  parent.stdin.end();
  return {pid: Number(line.toString()), [Symbol.dispose]: () => void parent.kill('SIGKILL')};
}

const kept = (folder: string): {logFile: string; pidFile: string} => ({
  logFile: path.join(folder, 'log'),
  pidFile: path.join(folder, 'pid'),
});

async function pidOf(pidFile: string): Promise<number> {
  await until(async () => /^\d+ /.test(await readFile(pidFile, 'utf8')), 5_000);
  return Number.parseInt(await readFile(pidFile, 'utf8'), 10);
}

test('a zombie is not alive', async () => {
  using zombie = await aZombie();
  expect(await until(async () => !(await isAlive(zombie.pid)), 5_000)).toBe(true);
  expect(() => process.kill(zombie.pid, 0)).not.toThrow();
});

test('a kept process ends when it is told to, with the signal it was promised', async () => {
  await using place = await aFolder();
  const script = `process.on('SIGTERM', () => {console.log('bye'); process.exit(7)}); console.log('up'); setInterval(() => {}, 1e6)`;
  const server = await startKept([process.execPath, '-e', script], {endWith: 'TERM', ...kept(place.folder)});
  await until(async () => (await readFile(path.join(place.folder, 'log'), 'utf8')) === 'up\n', 5_000);
  await server.stop();
  expect(await server.ended).toBe(7);
  expect(await readFile(path.join(place.folder, 'log'), 'utf8')).toBe('up\nbye\n');
});

test('a kept process ends with its parent, even if that is killed', async () => {
  await using place = await aFolder();
  const {logFile, pidFile} = kept(place.folder);
  const starter = path.join(place.folder, 'start.test.ts');
  await writeFile(
    starter,
    `import {test} from 'vitest';
     import {startKept} from ${JSON.stringify(path.resolve('src/dev/kept-process.ts'))};
     test('starts', async () => {
       await startKept(['sleep', '300'], {endWith: 'TERM', logFile: ${JSON.stringify(logFile)}, pidFile: ${JSON.stringify(pidFile)}});
       process.kill(process.pid, 'SIGKILL');
     });`,
  );
  const vitest = [path.resolve('node_modules/vitest/vitest.mjs'), 'run', '--root', place.folder];
  await once(spawn(process.execPath, vitest, {stdio: 'ignore'}), 'exit');
  const pid = await pidOf(pidFile);
  expect(await until(async () => !(await isAlive(pid)), 5_000)).toBe(true);
});

test('an orphan of a killed keeper is ended at the next start, a stranger with its number is not', async () => {
  await using place = await aFolder();
  const orphan = spawn('sleep', ['300'], {stdio: 'ignore'});
  const stranger = spawn('sleep', ['301'], {stdio: 'ignore'});
  try {
    await writeFile(path.join(place.folder, 'pid'), `${orphan.pid} sleep 300\n`);
    await (await startKept(['true'], {endWith: 'TERM', ...kept(place.folder)})).stop();
    await writeFile(path.join(place.folder, 'pid'), `${stranger.pid} sleep 300\n`);
    await (await startKept(['true'], {endWith: 'TERM', ...kept(place.folder)})).stop();
    expect([await isAlive(orphan.pid ?? 0), await isAlive(stranger.pid ?? 0)]).toEqual([false, true]);
  } finally {
    stranger.kill();
  }
});

test('a folder has one holder, who is named to the second', async () => {
  await using place = await aFolder();
  const giveBack = await lockFolder(place.folder);
  expect(await lockHolder(place.folder)).toBe(process.pid);
  await expect(lockFolder(place.folder)).rejects.toMatchObject({
    code: 'unavailable',
    message: `"${place.folder}" is in use by process ${process.pid}.`,
  });
  await giveBack();
  expect(await lockHolder(place.folder)).toBeUndefined();
  await (
    await lockFolder(place.folder)
  )();
});

test("a dead holder's lock is taken over, also when its number is another process's now", async () => {
  await using place = await aFolder();
  using zombie = await aZombie();
  for (const holder of [`${zombie.pid} 1`, `${process.pid} 1`, '999999999 ']) {
    await writeFile(path.join(place.folder, 'lock'), holder);
    await until(async () => !(await isAlive(zombie.pid)), 5_000);
    const giveBack = await lockFolder(place.folder);
    expect(await lockHolder(place.folder)).toBe(process.pid);
    await giveBack();
  }
});

test('a port that somebody has is not handed out', async () => {
  const port = await freePort();
  expect(await freePort(port)).toBe(port);
  await using server = await aListener(port);
  expect(server.port).toBe(port);
  expect(await freePort(port)).not.toBe(port);
});

test('a server whose port somebody takes between asking and starting is started on another', async () => {
  await using place = await aFolder();
  const cli = path.join(place.folder, 'temporal');
  const ports = path.join(place.folder, 'ports');
  // At its first start it finds its port taken, as it would say itself.
  await writeFile(
    cli,
    `#!/bin/sh
[ "$1" = server ] && echo "$6" >> '${ports}' && [ "$(wc -l < '${ports}')" -eq 1 ] && echo 'address already in use' && exit 1
exec '${await provisionTemporalCli()}' "$@"`,
    {mode: 0o755},
  );
  vi.stubEnv('FRESHET_TEMPORAL_CLI', cli);
  const server = await startTemporal({folder: place.folder, isDisposable: true});
  try {
    const [first, second] = (await readFile(ports, 'utf8')).split('\n').map(Number);
    expect(server.port).toBe(second);
    expect(first).not.toBe(second);
  } finally {
    await server.stop();
    vi.unstubAllEnvs();
  }
});

async function aListener(port: number): Promise<{port: number} & AsyncDisposable> {
  const server = createServer().listen({port, host: '127.0.0.1'});
  await once(server, 'listening');
  return {port, [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve()))};
}
