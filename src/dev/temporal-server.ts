import {Connection} from '@temporalio/client';
import {once} from 'node:events';
import {mkdir} from 'node:fs/promises';
import {connect} from 'node:net';
import path from 'node:path';
import {FreshetError} from '../errors.ts';
import {freePort, startsAnewWithinMs} from './free-port.ts';
import {startKept} from './kept-process.ts';
import {until} from './process.ts';
import {provisionTemporalCli} from './provision.ts';

export type TemporalServer = {
  readonly port: number;
  readonly uiPort: number;
  readonly address: string;
  /** Where a browser finds the Web UI. */
  readonly uiUrl: string;
  /** Temporal's CLI that runs it, and by which people may look at it. */
  readonly cli: string;
  readonly ended: Promise<number>;
  readonly stop: () => Promise<void>;
};

/** Each partition of a task queue keeps to the priorities for itself. A server that has others already may have tasks there. */
const onePartition = ['Read', 'Write'].flatMap((kind) => [
  '--dynamic-config-value',
  `matching.numTaskqueue${kind}Partitions=1`,
]);

/** Temporal's development server on loopback, its state in `folder`. It ends with this process at the latest. */
export async function startTemporal(options: {
  readonly folder: string;
  readonly port?: number | undefined;
  readonly uiPort?: number | undefined;
  /** Keeps its state in memory, has no Web UI, and hands tasks out in order of priority: for tests. */
  readonly isDisposable?: boolean;
}): Promise<TemporalServer> {
  const cli = await provisionTemporalCli();
  const folder = path.resolve(options.folder);
  await mkdir(folder, {recursive: true});
  const logFile = path.join(folder, 'log');
  const deadline = performance.now() + startsAnewWithinMs;
  for (;;) {
    const port = await freePort(options.port);
    const uiPort = await freePort(options.uiPort);
    const address = `127.0.0.1:${port}`;
    const server = await startKept(
      [
        ...[cli, 'server', 'start-dev'],
        ...['--ip', '127.0.0.1', '--port', String(port)],
        ...(options.isDisposable
          ? ['--headless', ...onePartition]
          : ['--ui-port', String(uiPort), '--db-filename', path.join(folder, 'temporal.db')]),
        ...['--log-level', 'warn'],
      ],
      {endWith: 'TERM', logFile, pidFile: path.join(folder, 'pid')},
    );
    let hasEnded = false;
    void server.ended.then(() => (hasEnded = true));
    const isInTime = await until(async () => hasEnded || ((await isOpen(port)) && (await isServing(address))), 60_000);
    if (isInTime && !hasEnded) return {port, uiPort, address, uiUrl: `http://127.0.0.1:${uiPort}`, cli, ...server};
    await server.stop();
    if (performance.now() > deadline) {
      throw new FreshetError('unavailable', `Temporal's development server does not start in "${folder}".`, {
        hint: `It says why in "${logFile}".`,
      });
    }
  }
}

/** Whether somebody listens there. Asked first, for Temporal's client waits a second after it was refused. */
export async function isOpen(port: number, host = '127.0.0.1'): Promise<boolean> {
  const socket = connect({port, host});
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Whether the server answers for its namespace, which comes some moments after the port is open. */
async function isServing(address: string): Promise<boolean> {
  const connection = Connection.lazy({address});
  try {
    const ask = (): Promise<unknown> => connection.workflowService.describeNamespace({namespace: 'default'});
    await connection.withDeadline(Date.now() + 5_000, ask);
    return true;
  } catch {
    return false; // Not yet: the caller asks again, and tells when time is up.
  } finally {
    await connection.close();
  }
}
