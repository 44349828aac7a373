import {Connection} from '@temporalio/client';
import {mkdir, open} from 'node:fs/promises';
import path from 'node:path';
import {FreshetError} from '../errors.ts';
import {freePort} from './free-port.ts';
import {startKept} from './kept-process.ts';
import {until} from './process.ts';
import {provisionTemporalCli} from './provision.ts';

export type TemporalServer = {
  readonly port: number;
  readonly uiPort: number;
  readonly address: string;
  /** Where a browser finds the Web UI. */
  readonly uiUrl: string;
  readonly ended: Promise<number>;
  readonly stop: () => Promise<void>;
};

/** Temporal's development server on loopback, its state in `folder`. It ends with this process at the latest. */
export async function startTemporal(options: {
  readonly folder: string;
  readonly port?: number | undefined;
  readonly uiPort?: number | undefined;
  readonly isHeadless?: boolean;
}): Promise<TemporalServer> {
  const cli = await provisionTemporalCli();
  const folder = path.resolve(options.folder);
  await mkdir(folder, {recursive: true});
  const port = await freePort(options.port);
  const uiPort = await freePort(options.uiPort);
  const logFile = path.join(folder, 'log');
  const log = await open(logFile, 'a');
  const server = startKept(
    [
      ...([cli, 'server', 'start-dev'] as const),
      ...['--ip', '127.0.0.1', '--port', String(port), '--db-filename', path.join(folder, 'temporal.db')],
      ...(options.isHeadless ? ['--headless'] : ['--ui-port', String(uiPort)]),
      ...['--log-level', 'warn'],
    ],
    {endWith: 'INT', log},
  );
  await log.close();
  let hasEnded = false;
  void server.ended.then(() => (hasEnded = true));
  const address = `127.0.0.1:${port}`;
  await until(async () => hasEnded || (await isServing(address)), 60_000);
  if (hasEnded || !(await isServing(address))) {
    await server.stop();
    throw new FreshetError('unavailable', `Temporal's development server does not start in "${folder}".`, {
      hint: `It says why in "${logFile}".`,
    });
  }
  return {port, uiPort, address, uiUrl: `http://127.0.0.1:${uiPort}`, ...server};
}

/** Whether the server answers for its namespace, which comes some moments after the port does. */
async function isServing(address: string): Promise<boolean> {
  try {
    const connection = await Connection.connect({address, connectTimeout: '1s'});
    try {
      await connection.workflowService.describeNamespace({namespace: 'default'});
      return true;
    } finally {
      await connection.close();
    }
  } catch {
    return false; // Not yet: the caller asks again, and tells when time is up.
  }
}
