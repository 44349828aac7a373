import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import os from 'node:os';
import {promisify} from 'node:util';
import pg from 'pg';
import {DuckDBInstance} from '@duckdb/node-api';
import {memoryLimitBytes, threads} from './person.ts';
import {tenths} from './result.ts';

/** What the figures were found on: nothing that names the machine or says where anything lies on it. */
export type Machine = {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** What each DuckDB may use of it. */
  readonly memoryLimitGiB: number;
  readonly platform: string;
  readonly versions: Readonly<Record<string, string>>;
};

const gibibyte = 1024 ** 3;

export async function describeMachine(postgresUrl: string): Promise<Machine> {
  return {
    processor: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: threads,
    memoryGiB: Math.round(os.totalmem() / gibibyte),
    memoryLimitGiB: tenths(memoryLimitBytes / gibibyte),
    platform: `${process.platform} ${process.arch}`,
    versions: {
      freshet: await commit(),
      node: process.versions.node,
      duckdb: await duckdbVersion(),
      postgresql: await postgresVersion(postgresUrl),
      'temporal sdk': packageVersion('@temporalio/worker'),
    },
  };
}

/** The commit that is measured; with changes of its own where the tree had some. */
async function commit(): Promise<string> {
  try {
    const {stdout} = await promisify(execFile)('git', ['describe', '--always', '--dirty', '--exclude', '*']);
    return stdout.trim();
  } catch {
    return 'unknown'; // No clone, or no git.
  }
}

async function duckdbVersion(): Promise<string> {
  const instance = await DuckDBInstance.create(':memory:');
  try {
    const connection = await instance.connect();
    const rows = await (await connection.run('SELECT version()')).getRows();
    connection.closeSync();
    return String(rows[0]?.[0]);
  } finally {
    instance.closeSync();
  }
}

async function postgresVersion(url: string): Promise<string> {
  const client = new pg.Client({connectionString: url});
  await client.connect();
  try {
    const {rows} = await client.query<{server_version: string}>('show server_version');
    return rows[0]?.server_version ?? 'unknown';
  } finally {
    await client.end();
  }
}

function packageVersion(name: string): string {
  const file = new URL(import.meta.resolve(`${name}/package.json`));
  // The package's own description, which has one.
  return (JSON.parse(readFileSync(file, 'utf8')) as {version: string}).version;
}
