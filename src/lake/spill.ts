import {createHash, randomUUID} from 'node:crypto';
import {once} from 'node:events';
import {mkdir, readdir, rename, rm} from 'node:fs/promises';
import {connect, createServer} from 'node:net';
import {hostname} from 'node:os';
import path from 'node:path';

/*
 * Where DuckDB puts what does not fit into memory. Each process has a folder of its own, and listens in it on a socket as long as it
 * lives: whatever ends the process ends that too, and no other can be taken for it, as by the id of a process, which another
 * container gives out as well.
 */

const folders = new Map<string, Promise<string>>();

/** The folder of this process. */
export function spillFolder(parent: string): Promise<string> {
  const known = folders.get(parent);
  if (known !== undefined) return known;
  const made = makeFolder(parent);
  folders.set(parent, made);
  made.catch(() => folders.delete(parent));
  return made;
}

/** Removes the folders of processes of this machine that live no more. */
export async function removeDeadSpill(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(ownPrefix()))) {
    const folder = path.join(parent, name);
    if (await isDead(folder)) await rm(folder, {recursive: true, force: true});
  }
}

/** It gets its name once somebody listens in it; where that can't be, it keeps the first one, and stays. */
async function makeFolder(parent: string): Promise<string> {
  const id = randomUUID().slice(0, 8);
  const folder = path.join(parent, `${ownPrefix()}${id}`);
  const made = path.join(parent, `new-${id}`);
  await mkdir(made, {recursive: true});
  const fits = Buffer.byteLength(socketIn(folder)) <= longestSocketBytes;
  if (!fits || !(await isListening(socketIn(made)))) return made;
  await rename(made, folder);
  return folder;
}

/** Node cuts off what is longer than the system takes, and says nothing. */
const longestSocketBytes = 100;

async function isListening(socket: string): Promise<boolean> {
  const server = createServer((caller) => caller.destroy());
  try {
    await once(server.listen(socket).unref(), 'listening');
    return true;
  } catch {
    return false;
  }
}

/** A process that is only stopped still has its callers wait. */
async function isDead(folder: string): Promise<boolean> {
  const caller = connect(socketIn(folder));
  try {
    await once(caller, 'connect');
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
  } finally {
    caller.destroy();
  }
}

function socketIn(folder: string): string {
  return path.join(folder, 'alive');
}

/** Over a file system that machines share, another's socket would look as if nobody listened. */
function ownPrefix(): string {
  return `${createHash('sha256').update(hostname()).digest('hex').slice(0, 8)}-`;
}
