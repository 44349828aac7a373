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
  }
}

let servers: Promise<{postgresUrl: string; temporalAddress: string; stop: () => Promise<void>}> | undefined;
let users = 0;

/** Starts the servers once for all projects that name this file; a run of unit tests alone never gets here. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  users++;
  servers ??= startServers();
  const {postgresUrl, temporalAddress, stop} = await servers;
  project.provide('postgresUrl', postgresUrl);
  project.provide('temporalAddress', temporalAddress);
  return async () => {
    if (--users === 0) await stop();
  };
}

async function startServers(): Promise<{postgresUrl: string; temporalAddress: string; stop: () => Promise<void>}> {
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-test-'));
  // Under root, PostgreSQL runs as another user, who must be able to pass.
  await chmod(folder, 0o711);
  await provisionExtensions(['ducklake', 'postgres_scanner']);
  const postgres = await startPostgres({folder: path.join(folder, 'postgres'), isDisposable: true});
  const temporal = await startTemporal({folder: path.join(folder, 'temporal'), isDisposable: true});
  return {
    postgresUrl: postgres.url('postgres'),
    temporalAddress: temporal.address,
    stop: async () => {
      await temporal.stop();
      await postgres.stop();
      await rm(folder, {recursive: true, force: true});
    },
  };
}
