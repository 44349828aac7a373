import {mkdir, mkdtemp, rename, rm} from 'node:fs/promises';
import {homedir} from 'node:os';
import path from 'node:path';

/** Where what was provisioned is kept for the next time. */
export function cacheFolder(): string {
  // An empty or relative XDG_CACHE_HOME is to be ignored, says its specification.
  const configured = process.env['XDG_CACHE_HOME'];
  return path.join(configured && path.isAbsolute(configured) ? configured : path.join(homedir(), '.cache'), 'freshet');
}

/** Runs `body` with a new folder beside the cache's files, on the same disk, and removes it. */
export async function withTemporaryFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(cacheFolder(), {recursive: true});
  const folder = await mkdtemp(path.join(cacheFolder(), 'incoming-'));
  try {
    return await body(folder);
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

/** Puts a complete file into the cache in one step, so that another process meets the old one, the new one or none. */
export async function keepInCache(file: string, target: string): Promise<string> {
  await mkdir(path.dirname(target), {recursive: true});
  await rename(file, target);
  return target;
}
