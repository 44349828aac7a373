import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import type {Stack} from './stack.ts';

/** `freshet worker` as it is shipped, in a process of its own. */
export type WorkerProcess = AsyncDisposable & {
  /** SIGKILL: no chance to tidy up. */
  readonly kill: () => Promise<void>;
  /** SIGTERM: an orderly end. */
  readonly stop: () => Promise<number | null>;
  /** What it has logged. */
  readonly log: () => string;
};

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export function aWorkerProcess({config, options}: Stack, more: Readonly<Record<string, string>> = {}): WorkerProcess {
  const {temporal, prefix} = config;
  const child = spawn(process.execPath, [cli, 'worker'], {
    stdio: ['ignore', 'ignore', 'pipe'],
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
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = once(child, 'exit');
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
    return child.exitCode;
  };
  return {
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    log: () => log,
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  };
}
