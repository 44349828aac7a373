import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {open, readFile} from 'node:fs/promises';
import {commandLine, endProcess, isAlive} from './process.ts';

/**
 * Starts the server, notes its id and command, and ends it when its own standard input closes: when we say so, and when
 * we die of whatever cause, SIGKILL too. A shell lets its background processes ignore SIGINT until they ask for it, so
 * that signal is repeated; another one is sent once, for a second one may mean "at once".
 */
const keeper = `
exec 4<&0
signal=$1; shift
"$@" 3>&- 4<&- & server=$!
echo "$server $*" >&3; exec 3>&-
(read -r end <&4
 kill -s "$signal" "$server"
 while [ "$signal" = INT ] && sleep 2; do kill -s INT "$server" || exit; done) 2>/dev/null & guard=$!
wait "$server"; status=$?
kill "$guard" 2>/dev/null
exit "$status"`;

export type KeptProcess = {
  /** Fulfilled when the server has ended, with its exit code. */
  readonly ended: Promise<number>;
  readonly stop: () => Promise<void>;
};

/**
 * A server that never outlives this process. It has a session of its own, so that Ctrl-C in a terminal reaches us
 * alone and we can stop everything in order.
 *
 * Callers see to it that no second living process starts a server with the same `pidFile`: one found running is the
 * orphan of a keeper that was killed, and is ended.
 */
export async function startKept(
  command: readonly string[],
  options: {
    readonly endWith: 'INT' | 'TERM';
    readonly logFile: string;
    readonly pidFile: string;
    readonly environment?: Readonly<Record<string, string | undefined>>;
    readonly user?: {readonly uid: number; readonly gid: number} | undefined;
  },
): Promise<KeptProcess> {
  await endOrphan(options.pidFile, `SIG${options.endWith}`);
  await using log = await open(options.logFile, 'a');
  await using pid = await open(options.pidFile, 'w');
  const child = spawn('/bin/sh', ['-c', keeper, 'freshet-keeper', options.endWith, ...command], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', log.fd, log.fd, pid.fd],
    env: options.environment ?? process.env,
    ...options.user,
  });
  // A keeper that is gone closes the pipe; `ended` tells of it.
  child.stdin?.on('error', () => undefined);
  const ended = once(child, 'exit').then(([code]: number[]) => code ?? 1);
  return {
    ended,
    stop: async () => {
      child.stdin?.end();
      const timer = setTimeout(() => child.pid && process.kill(-child.pid, 'SIGKILL'), 60_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

async function endOrphan(pidFile: string, signal: NodeJS.Signals): Promise<void> {
  const noted = await readFile(pidFile, 'utf8').catch(() => '');
  const [, pid, command] = /^(\d+) (.*)$/s.exec(noted.trim()) ?? [];
  // The number alone may be another process's by now.
  if (pid && (await isAlive(Number(pid))) && (await commandLine(Number(pid))) === command) {
    await endProcess(Number(pid), signal);
  }
}
