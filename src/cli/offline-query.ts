import {DuckDBInstance} from '@duckdb/node-api';
import {checkQuery} from '../binder/walls.ts';
import type {Query} from '../definition/statement.ts';
import {fromDuckDB} from '../lake/values.ts';
import type {TableName} from '../table-name.ts';
import {plainSqlError} from './plain-sql-error.ts';

/** DuckDB's parser, without a lake. */
export type QueryReader = {
  /** The tables that a query names, by the rules of a dynamic table; throws what they forbid, and what is no SQL. */
  readonly tablesOf: (query: Query) => Promise<readonly TableName[]>;
  /** Throws what is wrong in the syntax of a statement of DuckDB's own. */
  readonly parse: (statement: string) => Promise<void>;
  readonly close: () => void;
};

/** `lake` is the lake's public name: `lake.orders` and `lake.main.orders` are one table. */
export async function openQueryReader(lake: string): Promise<QueryReader> {
  const instance = await DuckDBInstance.create(':memory:', {enable_external_access: 'false'});
  const connection = await instance.connect();
  const parser = await instance.connect();
  // So that an error tells its place.
  await parser.run('SET errors_as_json = true');
  const rows = async <T>({text}: {readonly text: string}) =>
    // The caller names the columns in its statement and knows their types.
    (await (await connection.run(text)).convertRowObjects(fromDuckDB)) as T[];
  // Which macros the lake has is not known here.
  const names = {lake, isMacro: () => true, tableMacros: []};
  return {
    tablesOf: async (query) =>
      (await checkQuery({rows}, query, names)).flatMap((mention) =>
        mention.kind === 'table' ? [tableAt(mention.path, lake)] : [],
      ),
    parse: async (statement) => {
      try {
        await parser.extractStatements(statement);
      } catch (error) {
        const wrong = plainSqlError(error instanceof Error ? error.message : String(error), statement);
        // What is not known here may be known where the statement will be run: a PRAGMA of an extension is looked up at once.
        if (wrong.code === 'syntax') throw wrong;
      }
    },
    close: () => {
      for (const each of [connection, parser]) each.closeSync();
      instance.closeSync();
    },
  };
}

function tableAt(path: readonly string[], lake: string): TableName {
  const name = path.at(-1) ?? '';
  const schema = path.at(-2) ?? 'main';
  const isLake = path.length === 2 && schema.toLowerCase() === lake.toLowerCase();
  return {schema: isLake ? 'main' : schema, name};
}
