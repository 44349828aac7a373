import {spawn} from 'node:child_process';
import {once} from 'node:events';
import type {FileHandle} from 'node:fs/promises';

/**
 * Starts the server and ends it when its standard input closes: when we say so, and when we die of whatever cause,
 * SIGKILL too. The signal is repeated because a server that has just started may not listen to it yet.
 */
const keeper = `
exec 3<&0
signal=$1; shift
"$@" 3<&- & server=$!
(read -r end <&3; while kill -s "$signal" "$server" 2>/dev/null; do sleep 5; done) & guard=$!
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
 */
export function startKept(
  command: readonly [string, ...string[]],
  options: {
    readonly endWith: 'INT' | 'TERM';
    readonly log: FileHandle;
    readonly user?: {readonly uid: number; readonly gid: number} | undefined;
  },
): KeptProcess {
  const child = spawn('/bin/sh', ['-c', keeper, 'freshet-keeper', options.endWith, ...command], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', options.log.fd, options.log.fd],
    env: {...process.env, LC_ALL: 'C'},
    ...options.user,
  });
  // A server that is gone closes the pipe; `ended` tells of it.
  child.stdin?.on('error', () => undefined);
  const ended = once(child, 'exit').then(([code]: number[]) => code ?? 1);
  return {
    ended,
    stop: async () => {
      child.stdin?.end();
      const timer = setTimeout(() => child.pid && process.kill(-child.pid, 'SIGKILL'), 30_000);
      await ended;
      clearTimeout(timer);
    },
  };
}
