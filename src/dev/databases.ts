import {DuckDBInstance} from '@duckdb/node-api';
import pg from 'pg';
import {extensionSettings, loadExtensions} from '../lake/extensions.ts';
import {migrate} from '../metadata/migrate.ts';
import {openMetadata} from '../metadata/database.ts';
import {literal, sql} from '../sql.ts';
import {provisionExtensions} from './provision.ts';

/** Makes the lake, if it is new, and brings our tables up to date, before anybody else looks at either. */
export async function prepareDatabases(options: {
  readonly adminUrl: string;
  readonly database: string;
  readonly databaseUrl: string;
  readonly catalog: string;
  readonly dataPath: string;
}): Promise<void> {
  await createDatabase(options.adminUrl, options.database);
  await createLake(options.catalog, options.dataPath);
  const metadata = openMetadata(options.databaseUrl);
  try {
    await migrate(metadata);
  } finally {
    await metadata.end();
  }
}

async function createDatabase(adminUrl: string, name: string): Promise<void> {
  const client = new pg.Client({connectionString: adminUrl});
  await client.connect();
  try {
    const {rowCount} = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}

/** The first ATTACH creates a lake. */
async function createLake(catalog: string, dataPath: string): Promise<void> {
  const files = Object.values(await provisionExtensions(['postgres_scanner', 'ducklake']));
  const instance = await DuckDBInstance.create(':memory:', {threads: '1', ...extensionSettings(files)});
  try {
    const connection = await instance.connect();
    await loadExtensions(connection, files);
    await connection.run(sql`ATTACH ${literal(catalog)} AS lake (DATA_PATH ${literal(dataPath)})`.text);
    connection.closeSync();
  } finally {
    instance.closeSync();
  }
}
