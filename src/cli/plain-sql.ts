import {
  DuckDBInstance,
  JsonDuckDBValueConverter,
  ResultReturnType,
  type DuckDBConnection,
  type DuckDBResult,
  type DuckDBValue,
  type Json,
} from '@duckdb/node-api';
import {FreshetError} from '../errors.ts';
import {attachLake, defaultMetadataSchema} from '../lake/attach.ts';
import {readCatalogUrl} from '../lake/catalog-url.ts';
import type {ExtensionFiles} from '../lake/instance.ts';
import type {LakeOptions} from '../lake/lake.ts';
import {identifier, literal, sql, type Sql} from '../sql.ts';
import {plainSqlError} from './plain-sql-error.ts';

/** What of the lake a DuckDB of the user's own needs to know. */
export type Lake = Pick<LakeOptions, 'catalog' | 'dataPath' | 'metadataSchema' | 'name'>;

/** What one statement gave. */
export type PlainResult =
  | {
      readonly kind: 'rows';
      readonly columns: readonly {readonly name: string; readonly type: string}[];
      readonly rows: readonly (readonly Json[])[];
      /** Whether there are more rows than were asked for. */
      readonly hasMore: boolean;
    }
  | {readonly kind: 'changed'; readonly rows: number}
  | {readonly kind: 'done'};

/** A DuckDB for plain SQL. It may touch this machine's files: it runs as the person who typed the statement. */
export type PlainSql = {
  /** Runs one statement; fetches at most `limit` rows. Values are JSON (`json`), or texts as DuckDB writes them. */
  readonly run: (statement: string, values: 'json' | 'text', limit: number) => Promise<PlainResult>;
  readonly close: () => void;
};

export async function openPlainSql(lake: Lake, extensions: ExtensionFiles): Promise<PlainSql> {
  const catalog = readCatalogUrl(lake.catalog);
  if (catalog === null) throw new FreshetError('invalid_configuration', 'The lake needs its catalog in PostgreSQL.');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const guarded = <T>(statement: string, work: () => Promise<T>) => translated(catalog.scrub, statement, work);
  await guarded('', async () => {
    for (const file of Object.values(extensions)) await connection.run(sql`LOAD ${literal(file)}`.text);
    const {name, dataPath, metadataSchema = defaultMetadataSchema} = lake;
    await attachLake(connection, name, {catalog, dataPath, metadataSchema});
    for (const statement of setUp(name)) await connection.run(statement.text);
  });
  return {
    run: (statement, values, limit) => guarded(statement, () => run(connection, statement, values, limit)),
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

function setUp(name: string): readonly Sql[] {
  return [
    sql`SET GLOBAL TimeZone = 'UTC'`,
    sql`USE ${identifier(name)}`,
    // So that an error tells its parts, the place among them.
    sql`SET errors_as_json = true`,
  ];
}

async function run(
  connection: DuckDBConnection,
  statement: string,
  values: 'json' | 'text',
  limit: number,
): Promise<PlainResult> {
  const result = await connection.stream(statement);
  const converter = values === 'json' ? JsonDuckDBValueConverter : valueText;
  const rows: Json[][] = [];
  for await (const batch of result.yieldConvertedRows(converter)) {
    rows.push(...batch);
    if (rows.length > limit) break;
  }
  switch (result.returnType) {
    case ResultReturnType.NOTHING:
      return {kind: 'done'};
    case ResultReturnType.CHANGED_ROWS:
      return {kind: 'changed', rows: result.rowsChanged};
    default:
      return {kind: 'rows', columns: columnsOf(result), rows: rows.slice(0, limit), hasMore: rows.length > limit};
  }
}

function valueText(value: DuckDBValue): string | null {
  return value === null ? null : String(value);
}

function columnsOf(result: DuckDBResult): {name: string; type: string}[] {
  const types = result.columnTypes();
  return result.columnNames().map((name, i) => ({name, type: String(types[i])}));
}

async function translated<T>(scrub: (text: string) => string, statement: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FreshetError || !(error instanceof Error)) throw error;
    throw plainSqlError(scrub(error.message), statement);
  }
}
