import {execFile} from 'node:child_process';
import {readFile} from 'node:fs/promises';
import {setTimeout as delay} from 'node:timers/promises';
import {promisify} from 'node:util';

/** Whether a process with this id runs. One that ended but was not yet waited for (a zombie) counts as gone. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return (await statFields(pid))?.[0] !== 'Z';
}

/** When a process started, to tell it from a later one with the same id; empty where the system does not say. */
export async function startOf(pid: number): Promise<string> {
  return (await statFields(pid))?.[19] ?? '';
}

/** What Linux says about a process, from its state on. */
async function statFields(pid: number): Promise<string[] | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The state follows the command, which is in parentheses and may hold any character.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** The command line of a process, its parts separated by spaces; undefined where the system does not say. */
export async function commandLine(pid: number): Promise<string | undefined> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
  } catch {
    // Not Linux, or gone just now.
    const ps = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => undefined);
    return ps?.stdout.trim();
  }
}

/** Waits until `condition` holds and says whether it did in time. */
export async function until(condition: () => Promise<boolean>, milliseconds: number): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  while (!(await condition())) {
    if (performance.now() > deadline) return false;
    await delay(20);
  }
  return true;
}

/** Ends a process that somebody else started: politely, then by force. */
export async function endProcess(pid: number, signal: NodeJS.Signals): Promise<void> {
  const isGone = async (): Promise<boolean> => !(await isAlive(pid));
  for (const next of [signal, 'SIGKILL'] as const) {
    if (await isGone()) return;
    process.kill(pid, next);
    if (await until(isGone, 15_000)) return;
  }
  throw new Error(`Process ${pid} does not end`);
}
