import {chmod, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import type {TestProject} from 'vitest/node';
import {startPostgres} from '../../src/dev/postgres.ts';
import {provisionExtensions} from '../../src/dev/provision.ts';
import {startTemporal} from '../../src/dev/temporal-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The test run's PostgreSQL: address of its database `postgres`. */
    postgresUrl: string;
    /** The test run's Temporal server. */
    temporalAddress: string;
    /** A folder of the test run. */
    folder: string;
  }
}

type Servers = {
  readonly folder: string;
  readonly postgresUrl: string;
  readonly temporalAddress: string;
  readonly stop: () => Promise<void>;
};

/** Each project loads this file anew: what they share is kept where all of them look. */
const shared = globalThis as {freshetServers?: {servers: Promise<Servers>; users: number}};

/** Starts the servers once for all projects that name this file; a run of unit tests alone never gets here. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const mine = (shared.freshetServers ??= {servers: startServers(), users: 0});
  mine.users++;
  const {folder, postgresUrl, temporalAddress, stop} = await mine.servers;
  project.provide('folder', folder);
  project.provide('postgresUrl', postgresUrl);
  project.provide('temporalAddress', temporalAddress);
  return async () => {
    if (--mine.users === 0) await stop();
  };
}

async function startServers(): Promise<Servers> {
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-test-'));
  // Under root, PostgreSQL runs as another user, who must be able to pass.
  await chmod(folder, 0o711);
  await provisionExtensions(['ducklake', 'postgres_scanner']);
  const postgres = await startPostgres({folder: path.join(folder, 'postgres'), isDisposable: true});
  const temporal = await startTemporal({folder: path.join(folder, 'temporal'), isDisposable: true});
  return {
    folder,
    postgresUrl: postgres.url('postgres'),
    temporalAddress: temporal.address,
    stop: async () => {
      await temporal.stop();
      await postgres.stop();
      await rm(folder, {recursive: true, force: true});
    },
  };
}
