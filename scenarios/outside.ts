import type {DuckDBConnection, DuckDBInstance} from '@duckdb/node-api';
import {attach, publicName, type Place} from './lakes.ts';
import type {Row, Rows} from './outcome.ts';

/** Somebody who works on the lake and knows nothing of Freshet. */
export type Outside = {
  /** Runs a statement, committed by itself. Names without a schema are in the lake's `main`. */
  readonly run: (statement: string) => Promise<void>;
  /** Rows of a query as texts, in the order of the texts, and the types of its columns. */
  readonly query: (query: string, options?: QueryOptions) => Promise<Answer>;
  readonly newestSnapshot: () => Promise<number>;
  readonly leave: () => void;
};

export type Answer = {readonly rows: Rows; readonly types: readonly string[]};

/** `optimizersOff`: rules of DuckDB's that the query does without. */
export type QueryOptions = {readonly optimizersOff?: readonly string[]};

export async function enter(database: DuckDBInstance, place: Place): Promise<Outside> {
  await attach(database, publicName, place);
  const connection = await database.connect();
  await connection.run(`USE ${publicName}`);
  return {
    run: async (statement) => {
      await connection.run(statement);
    },
    query: async (query, {optimizersOff = []} = {}) => {
      await connection.run(`SET disabled_optimizers = '${optimizersOff.join()}'`);
      return await rowsAsTexts(connection, query);
    },
    newestSnapshot: async () => {
      const reader = await connection.runAndReadAll('SELECT id FROM lake.current_snapshot()');
      return Number(reader.getRows()[0]?.[0]);
    },
    leave: () => connection.closeSync(),
  };
}

/** By way of a table, which numbers columns of the same name. In the order of the texts, nulls last. */
export async function rowsAsTexts(connection: DuckDBConnection, query: string): Promise<Answer> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE queried AS ${query}`);
  const reader = await connection.runAndReadAll('SELECT CAST(COLUMNS(*) AS VARCHAR) FROM temp.queried');
  const described = await connection.runAndReadAll('DESCRIBE temp.queried');
  const types = described.getRows().map((row) => String(row[1]));
  const rows = reader.getRows() as Row[]; // All were cast to texts.
  return {rows: rows.toSorted(compareRows), types};
}

function compareRows(a: Row, b: Row): number {
  for (const [i, value] of a.entries()) {
    const other = b[i] ?? null;
    if (value === other) continue;
    if (value === null || other === null) return value === null ? 1 : -1;
    return value < other ? -1 : 1;
  }
  return 0;
}
