import {link, readFile, rename, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {FreshetError} from '../errors.ts';
import {isAlive, startOf} from './process.ts';

/**
 * Takes a folder for this process; another living process that has it is named in the error. The lock of a process that
 * was killed is taken over. Returns what gives the folder back.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const lock = path.join(folder, 'lock');
  const mine = `${lock}.${process.pid}`;
  await writeFile(mine, `${process.pid} ${await startOf(process.pid)}`);
  try {
    while (!(await isLinked(mine, lock))) await removeStale(folder, lock);
  } finally {
    await rm(mine);
  }
  return () => rm(lock, {force: true});
}

/** A link appears in one step with its contents, and only where nothing is yet. */
async function isLinked(file: string, name: string): Promise<boolean> {
  try {
    await link(file, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function removeStale(folder: string, lock: string): Promise<void> {
  const holder = await readFile(lock, 'utf8').catch(() => undefined);
  if (holder === undefined) return;
  if (await isHeld(holder)) {
    throw new FreshetError('unavailable', `"${folder}" is in use by process ${holder.split(' ')[0]}.`, {
      hint: 'Stop that one first, or choose another folder.',
    });
  }
  // Another starter may have replaced it just now: what we took away must be what we looked at.
  const taken = `${lock}.stale.${process.pid}`;
  await rename(lock, taken).catch(() => undefined);
  if ((await readFile(taken, 'utf8').catch(() => holder)) !== holder) await link(taken, lock).catch(() => undefined);
  await rm(taken, {force: true});
}

async function isHeld(holder: string): Promise<boolean> {
  const [pid = '', start = ''] = holder.split(' ');
  return (await isAlive(Number(pid))) && (await startOf(Number(pid))) === start;
}

/** The process that has the folder; undefined when none has. */
export async function lockHolder(folder: string): Promise<number | undefined> {
  const holder = await readFile(path.join(folder, 'lock'), 'utf8').catch(() => undefined);
  return holder !== undefined && (await isHeld(holder)) ? Number(holder.split(' ')[0]) : undefined;
}
