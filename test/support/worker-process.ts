import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import type {Stack} from './stack.ts';

/** `freshet worker` as it is shipped, in a process of its own. */
export type WorkerProcess = AsyncDisposable & {
  readonly pid: number;
  /** SIGKILL: no chance to tidy up. */
  readonly kill: () => Promise<void>;
  /** SIGTERM: an orderly end. */
  readonly stop: () => Promise<number | null>;
  /** Resolves when it has ended, of itself or not. */
  readonly ended: Promise<unknown>;
  /** What it has logged. */
  readonly log: () => string;
  /** To what was loaded into it before our own code. */
  readonly send: (order: object) => void;
  /** Its next answer. */
  readonly answer: () => Promise<unknown>;
};

const freshet = fileURLToPath(new URL('../../dist/freshet.cjs', import.meta.url));

/** `mostBytes`: no file that it writes may be longer, as on a disk that is full. */
export function aWorkerProcess(
  {config, options}: Pick<Stack, 'config' | 'options'>,
  more: Readonly<Record<string, string>> = {},
  {mostBytes}: {readonly mostBytes?: number} = {},
): WorkerProcess {
  const {temporal, prefix} = config;
  const command = [freshet, 'worker'];
  // Blocks of 512 bytes; without the trap the first byte too many would kill it.
  const limited = `trap '' XFSZ; ulimit -f ${(mostBytes ?? 0) / 512}; exec "$0" "$@"`;
  const [program, args] =
    mostBytes === undefined ? [process.execPath, command] : ['/bin/sh', ['-c', limited, process.execPath, ...command]];
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: {
      ...process.env,
      FRESHET_LAKE: options.catalog,
      FRESHET_LAKE_DATA_PATH: options.dataPath,
      FRESHET_STAGING_PATH: options.stagingPath,
      FRESHET_DUCKDB_TEMP_DIRECTORY: `${options.tempDirectory}-${Math.random()}`,
      FRESHET_DUCKDB_MEMORY_LIMIT: '1GiB',
      FRESHET_PREFIX: prefix,
      FRESHET_HEARTBEAT_SECONDS: '2',
      FRESHET_SHUTDOWN_GRACE_SECONDS: '5',
      TEMPORAL_ADDRESS: temporal.connectionOptions.address,
      ...more,
    },
  });
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text));
  // All its output is there by then.
  const ended = once(child, 'close');
  // A test that fails may not come to its end.
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  void ended.then(() => process.off('exit', endWithUs));
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
    return child.exitCode;
  };
  return {
    pid: child.pid!, // Node itself was found: it is the one that runs us.
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    ended,
    log: () => log,
    send: (order) => void child.send(order),
    answer: () => once(child, 'message'),
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  };
}
