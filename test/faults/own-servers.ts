import {chmod, mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {startPostgres} from '../../src/dev/postgres.ts';
import {startTemporal} from '../../src/dev/temporal-server.ts';

/** A PostgreSQL and a Temporal server of a test's own, both of which keep what they have on disk. */
export type OwnServers = AsyncDisposable & {
  readonly catalog: string;
  readonly address: string;
  /** SIGKILL, and the same server again. */
  readonly restartPostgres: () => Promise<void>;
  readonly restartTemporal: () => Promise<void>;
};

export async function ownServers(): Promise<OwnServers> {
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-test-'));
  // Under root, PostgreSQL runs as another user, who must be able to pass.
  await chmod(folder, 0o711);
  const [postgresFolder, temporalFolder] = [path.join(folder, 'postgres'), path.join(folder, 'temporal')];
  let postgres = await startPostgres({folder: postgresFolder});
  let temporal = await startTemporal({folder: temporalFolder});
  return {
    catalog: postgres.url('postgres'),
    address: temporal.address,
    restartPostgres: async () => {
      process.kill(await firstNumber(path.join(postgresFolder, 'data', 'postmaster.pid')), 'SIGKILL');
      await postgres.ended;
      postgres = await startPostgres({folder: postgresFolder, port: postgres.port});
    },
    restartTemporal: async () => {
      process.kill(await firstNumber(path.join(temporalFolder, 'pid')), 'SIGKILL');
      await temporal.ended;
      temporal = await startTemporal({folder: temporalFolder, port: temporal.port});
    },
    [Symbol.asyncDispose]: async () => {
      await temporal.stop();
      await postgres.stop();
      await rm(folder, {recursive: true, force: true});
    },
  };
}

async function firstNumber(file: string): Promise<number> {
  return Number.parseInt(await readFile(file, 'utf8'), 10);
}
