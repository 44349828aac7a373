import {DuckDBInstance, type Json} from '@duckdb/node-api';
import {availableParallelism, totalmem} from 'node:os';
import {fromDuckDB} from '../src/lake/values.ts';
import {literal, sql} from '../src/sql.ts';

export type Extensions = {readonly ducklake: string; readonly postgres_scanner: string};

/** Somebody who uses the lake by a DuckDB of his own, in which it is attached as `lake`. */
export type Person = {
  /** How many rows it changed. */
  readonly run: (statement: string) => Promise<number>;
  readonly rows: (statement: string) => Promise<Json[][]>;
  readonly transaction: (work: () => Promise<void>) => Promise<void>;
  readonly leave: () => void;
};

/** For each of those who use the lake. */
export const threads = availableParallelism();
export const memoryLimitBytes = Math.floor(Math.min(4 * 1024 ** 3, totalmem() / 4));

/**
 * With the threads, memory and settings that the engine's own instances have, so that what differs is the SQL alone. Statistics are
 * off for everybody: with them the change feed can lose rows (DuckLake's issue 1377).
 */
export async function openPerson(extensions: Extensions, catalog: string, dataPath: string): Promise<Person> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(threads),
    memory_limit: `${Math.floor(memoryLimitBytes / 1024)}KiB`,
    disabled_optimizers: 'statistics_propagation',
    dynamic_or_filter_threshold: '1000',
    enable_external_file_cache: 'false',
  });
  const connection = await instance.connect();
  const run = async (statement: string): Promise<number> => (await connection.run(statement)).rowsChanged;
  await run(sql`LOAD ${literal(extensions.postgres_scanner)}`.text);
  await run(sql`LOAD ${literal(extensions.ducklake)}`.text);
  await run(sql`ATTACH ${literal(catalog)} AS lake (DATA_PATH ${literal(dataPath)})`.text);
  await run('USE lake');
  return {
    run,
    rows: async (statement) => await (await connection.run(statement)).convertRows(fromDuckDB),
    transaction: async (work) => {
      await run('BEGIN');
      try {
        await work();
      } catch (error) {
        await run('ROLLBACK');
        throw error;
      }
      await run('COMMIT');
    },
    leave: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
