import type {DuckDBConnection} from '@duckdb/node-api';
import {FreshetError} from '../errors.ts';
import {identifier, literal, sql} from '../sql.ts';
import type {CatalogUrl} from './catalog-url.ts';

export type LakePlace = {readonly catalog: CatalogUrl; readonly dataPath: string; readonly metadataSchema: string};

export const defaultMetadataSchema = 'public';

/**
 * Attaches the lake under a name. A database that has no lake at all gets one, as DuckLake does it. One that has a lake, but in
 * another schema, gets no second one because of a name that was mistyped or forgotten.
 */
export async function attachLake(
  connection: DuckDBConnection,
  name: string,
  {catalog, dataPath, metadataSchema}: LakePlace,
): Promise<void> {
  const lake = sql`${literal(catalog.attach)} AS ${identifier(name)}`;
  const place = sql`DATA_PATH ${literal(dataPath)}, METADATA_SCHEMA ${literal(metadataSchema)}`;
  try {
    await connection.run(sql`ATTACH ${lake} (${place}, CREATE_IF_NOT_EXISTS false)`.text);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('creating a new DuckLake is explicitly disabled'))
      throw error;
    refuseSecond(metadataSchema, await schemasWithLake(connection, catalog));
    await connection.run(sql`ATTACH ${lake} (${place})`.text);
  }
}

function refuseSecond(wanted: string, found: readonly string[]): void {
  if (found.length === 0) return;
  const schemas = found.map((schema) => `"${schema}"`).join(', ');
  throw new FreshetError(
    'invalid_configuration',
    `There is no lake in schema "${wanted}" of the catalog's database; there is one in ${schemas}.`,
    {
      hint: 'Put the schema of yours into FRESHET_LAKE_METADATA_SCHEMA. A second lake in one database is made by an ATTACH of your own.',
    },
  );
}

/** The schemas of the catalog's database that have a lake. */
async function schemasWithLake(connection: DuckDBConnection, {postgres}: CatalogUrl): Promise<string[]> {
  const database = '__freshet_catalog';
  await connection.run(sql`ATTACH ${literal(postgres)} AS ${identifier(database)} (TYPE postgres, READ_ONLY)`.text);
  try {
    const question = `SELECT n.nspname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relname = 'ducklake_metadata' AND c.relkind = 'r' ORDER BY 1`;
    const answer = await connection.run(sql`FROM postgres_query(${literal(database)}, ${literal(question)})`.text);
    return (await answer.getRows()).map(([name]) => String(name));
  } finally {
    await connection.run(sql`DETACH ${identifier(database)}`.text);
  }
}
