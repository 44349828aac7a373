import {DuckDBInstance, type Json} from '@duckdb/node-api';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {provisionExtensions} from '../../src/dev/provision.ts';
import {readCatalogUrl} from '../../src/lake/catalog-url.ts';
import {extensionSettings, loadExtensions} from '../../src/lake/extensions.ts';
import {openLake, type Lake, type LakeOptions} from '../../src/lake/lake.ts';
import {fromDuckDB} from '../../src/lake/values.ts';
import {literal, sql} from '../../src/sql.ts';
import {aDatabase} from './servers.ts';

/** A new lake, and somebody outside of Freshet who uses it. */
export type TestLake = {
  readonly lake: Lake;
  /** What it was opened with, for whoever opens it once more. */
  readonly options: LakeOptions;
  /** Runs a statement as the outsider, whose DuckDB has the lake attached publicly as `lake`, with every default. */
  readonly run: (statement: string) => Promise<number>;
  /** The outsider's answer, a list for each row. */
  readonly rows: (statement: string) => Promise<Json[][]>;
  /** The newest snapshot's id. */
  readonly snapshot: () => Promise<number>;
  /** Another connection of the outsider. */
  readonly outsider: () => Promise<Outsider>;
  /** Somebody whose DuckDB attaches the lake only now. */
  readonly newcomer: () => Promise<Outsider>;
};

export type Outsider = Pick<TestLake, 'run' | 'rows'>;

/** `overrides` by the time the lake's folder is known. */
export async function aLake(overrides: Partial<LakeOptions> = {}): Promise<TestLake & AsyncDisposable> {
  const database = await aDatabase();
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-lake-'));
  const options: LakeOptions = {
    catalog: database.url,
    dataPath: path.join(folder, 'data'),
    name: 'lake',
    extensions: await provisionExtensions(['ducklake', 'postgres_scanner']),
    threads: 2,
    memoryLimitBytes: 2 * 1024 ** 3,
    tempDirectory: path.join(folder, 'temporary'),
    computeSlots: 2,
    stagingPath: path.join(folder, 'staging'),
    ...overrides,
  };
  const opened: (() => void)[] = [];

  /** A DuckDB that is not ours, and the way to connect to it. */
  async function somebody(): Promise<() => Promise<Outsider>> {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: '2',
      ...extensionSettings(Object.values(options.extensions)),
    });
    opened.unshift(() => instance.closeSync());
    await attach(instance, options);
    return async () => {
      const connection = await instance.connect();
      opened.unshift(() => connection.closeSync());
      await connection.run('USE lake');
      return {
        run: async (statement) => (await connection.run(statement)).rowsChanged,
        rows: async (statement) => await (await connection.run(statement)).convertRows(fromDuckDB),
      };
    };
  }

  const outsider = await somebody();
  const first = await outsider();
  const lake = openLake(options);
  return {
    lake,
    options,
    ...first,
    snapshot: async () => (await first.rows('SELECT id FROM lake.current_snapshot()'))[0]?.[0] as number,
    outsider,
    newcomer: async () => await (await somebody())(),
    [Symbol.asyncDispose]: async () => {
      lake.close();
      for (const close of opened) close();
      await rm(folder, {recursive: true, force: true});
      await database[Symbol.asyncDispose]();
    },
  };
}

async function attach(outside: DuckDBInstance, {catalog, dataPath, extensions}: LakeOptions): Promise<void> {
  const connection = await outside.connect();
  await loadExtensions(connection, Object.values(extensions));
  const url = readCatalogUrl(catalog)!.attach; // Of our own making.
  await connection.run(sql`ATTACH ${literal(url)} AS lake (DATA_PATH ${literal(dataPath)})`.text);
  connection.closeSync();
}
