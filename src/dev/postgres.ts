import {execFile} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {existsSync} from 'node:fs';
import {chmod, chown, mkdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import {FreshetError} from '../errors.ts';
import {freePort, startsAnewWithinMs} from './free-port.ts';
import {startKept, type KeptProcess} from './kept-process.ts';
import {
  postgresBinaries,
  reachableBinaries,
  unprivilegedUser,
  untraversable,
  type PostgresBinaries,
  type User,
} from './postgres-binaries.ts';
import {commandLine, endProcess, isAlive, until} from './process.ts';

export type PostgresServer = {
  readonly port: number;
  /** Address of one of its databases, with the password. */
  readonly url: (database: string) => string;
  /** Fulfilled when the server has ended. */
  readonly ended: Promise<number>;
  readonly stop: () => Promise<void>;
};

/**
 * PostgreSQL 18 on loopback, its data in `folder`, made when it is new.
 *
 * Callers see to it that no second living process uses the folder: a server found running there is taken for the
 * orphan of one that was killed, and ended. It ends with this process at the latest.
 */
export async function startPostgres(options: {
  readonly folder: string;
  readonly port?: number | undefined;
  /** Gives up safety against power failure for speed: for tests. */
  readonly isDisposable?: boolean;
}): Promise<PostgresServer> {
  const folder = path.resolve(options.folder);
  const user = await unprivilegedUser();
  await mkdir(folder, {recursive: true});
  if (user) await openTheWay(folder, user);
  const installed = await postgresBinaries();
  const binaries = user ? await reachableBinaries(installed, user, folder) : installed;

  if (!existsSync(path.join(folder, 'data'))) await initialise(folder, binaries, user);
  const password = await readFile(path.join(folder, 'password'), 'utf8');
  await endOrphan(folder);
  const settings = options.isDisposable ? ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'] : [];
  const flags = [...loopbackOnly, ...settings].flatMap((setting) => ['-c', setting]);
  const {port, ...server} = await startServer(folder, binaries, user, flags, options.port);
  return {port, url: (database) => `postgresql://freshet:${password}@127.0.0.1:${port}/${database}`, ...server};
}

const loopbackOnly = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200'];

/** The server's user must be able to reach the data; a folder of ours is opened, others are for their owner to open. */
async function openTheWay(folder: string, user: User): Promise<void> {
  await chmod(folder, 0o711);
  const closed = await untraversable(path.join(folder, 'data'), user);
  if (!closed) return;
  throw new FreshetError(
    'unavailable',
    `PostgreSQL does not run as root, and user ${user.uid} that would run it may not pass through "${closed}".`,
    {
      hint: `Work in a folder outside of it, run "chmod o+x ${closed}", or work as an ordinary user.`,
    },
  );
}

/** Makes `data`, whole or not at all, and `password`, which only its owner may read. */
async function initialise(folder: string, {initdb}: PostgresBinaries, user: User | undefined): Promise<void> {
  const unfinished = path.join(folder, 'data.unfinished');
  const password = path.join(folder, 'password');
  await rm(unfinished, {recursive: true, force: true});
  await rm(password, {force: true});
  await mkdir(unfinished, {mode: 0o700});
  await writeFile(password, randomBytes(24).toString('hex'), {mode: 0o600});
  if (user) await Promise.all([unfinished, password].map((file) => chown(file, user.uid, user.gid)));
  await promisify(execFile)(
    initdb,
    [
      ...['--pgdata', unfinished, '--username', 'freshet', '--pwfile', password, '--auth', 'scram-sha-256'],
      ...['--encoding', 'UTF8', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8', '--locale', 'C'],
    ],
    {cwd: '/', env: {...process.env, LC_ALL: 'C'}, ...user},
  );
  await rename(unfinished, path.join(folder, 'data'));
}

/** What `postmaster.pid` tells: PostgreSQL writes the process on its first line and how far it is on its eighth. */
async function readPostmaster(folder: string): Promise<{pid: number; isReady: boolean} | undefined> {
  const text = await readFile(path.join(folder, 'data', 'postmaster.pid'), 'utf8').catch(() => undefined);
  const lines = text?.split('\n');
  return lines && {pid: Number(lines[0]), isReady: lines[7]?.trim() === 'ready'};
}

async function isRunning(folder: string): Promise<number | undefined> {
  const postmaster = await readPostmaster(folder);
  if (!postmaster || !(await isAlive(postmaster.pid))) return undefined;
  // After a reboot the number may be another process's.
  const command = await commandLine(postmaster.pid);
  return command === undefined || command.includes(path.join(folder, 'data')) ? postmaster.pid : undefined;
}

async function endOrphan(folder: string): Promise<void> {
  const orphan = await isRunning(folder);
  if (orphan !== undefined) await endProcess(orphan, 'SIGINT');
}

/** Tries for some seconds: the children of a postmaster that was killed hold on to its shared memory until they notice. */
async function startServer(
  folder: string,
  {postgres}: PostgresBinaries,
  user: User | undefined,
  flags: readonly string[],
  preferredPort: number | undefined,
): Promise<KeptProcess & {port: number}> {
  const [logFile, pidFile] = [path.join(folder, 'log'), path.join(folder, 'pid')];
  const deadline = performance.now() + startsAnewWithinMs;
  for (;;) {
    const port = await freePort(preferredPort);
    const command = [postgres, '-D', path.join(folder, 'data'), '-p', String(port), ...flags] as const;
    const server = await startKept(command, {endWith: 'INT', logFile, pidFile, user});
    let hasEnded = false;
    void server.ended.then(() => (hasEnded = true));
    const isReady = async (): Promise<boolean> =>
      hasEnded || ((await isRunning(folder)) !== undefined && (await readPostmaster(folder))?.isReady === true);
    const isInTime = await until(isReady, 60_000);
    if (isInTime && !hasEnded) return {...server, port};
    await server.stop();
    if (performance.now() > deadline) {
      throw new FreshetError('unavailable', `PostgreSQL does not start in "${folder}".`, {
        hint: `It says why in "${logFile}".`,
      });
    }
  }
}
