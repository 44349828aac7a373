import {DuckDBInstance} from '@duckdb/node-api';
import type {QuerySettings} from '../definition/definition.ts';
import {FreshetError} from '../errors.ts';
import {identifier, literal, sql, type Sql} from '../sql.ts';
import {lakeAlias} from './alias.ts';
import {attachLake} from './attach.ts';
import type {CatalogUrl} from './catalog-url.ts';
import {LakeError, NoAnswer, classify} from './errors.ts';
import {extensionSettings, loadExtensions} from './extensions.ts';
import {makeFolders} from './folders.ts';
import {openSession, type LakeNames, type Patience, type Session} from './session.ts';
import {within} from './within.ts';

/** Files of DuckDB's extensions, of the version that belongs to this DuckDB. `httpfs` only for object stores. */
export type ExtensionFiles = {readonly ducklake: string; readonly postgres_scanner: string; readonly httpfs?: string};

/** Up to this many affected keys DuckLake skips files and row groups by the keys themselves, not only by their range. */
export const mostKeysOneByOne = 1000;

export type InstanceSettings = {
  readonly catalog: CatalogUrl;
  readonly dataPath: string;
  readonly lake: LakeNames;
  readonly extensions: ExtensionFiles;
  /** Folders, besides the lake's data, that statements may touch. */
  readonly folders: readonly string[];
  readonly temporaryFolder: string;
  readonly threads: number;
  readonly memoryBytes: number;
  readonly disabledOptimizers: readonly string[];
  readonly query: QuerySettings;
  readonly patience: Patience;
};

/** A DuckDB of our own with the lake attached. All its settings are given here: they are global to it and stay as they are. */
export type Instance = {
  readonly query: QuerySettings;
  readonly isBroken: boolean;
  readonly use: <T>(use: (session: Session) => Promise<T>, signal?: AbortSignal) => Promise<T>;
  /** Takes away the databases that a use attached beside the lake. */
  readonly clean: () => Promise<void>;
  readonly close: () => void;
};

/** A server that is there but hangs takes the connection, and says nothing more. */
const attachSeconds = 60;

/**
 * What can't be closed: closing waits for a statement that hangs, and where a fatal error has struck a transaction it ends the
 * process. They are held, for what is collected as garbage is closed too.
 */
const abandoned: unknown[] = [];

export async function openInstance(settings: InstanceSettings): Promise<Instance> {
  const {catalog, lake, query} = settings;
  let isBroken = false;
  const protectedTables = new Set<number>();
  await makeFolders([settings.dataPath, ...settings.folders]);
  const database = await DuckDBInstance.create(':memory:', configuration(settings));
  try {
    await within(attachSeconds, 'PostgreSQL', attach(database, settings));
  } catch (error) {
    // Closing waits for the statement.
    if (error instanceof NoAnswer) throw error;
    database.closeSync();
    if (error instanceof FreshetError) throw error;
    const message = catalog.scrub(error instanceof Error ? error.message : String(error));
    throw new LakeError(classify(message), message);
  }

  async function use<T>(work: (session: Session) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const connection = await database.connect();
    let isAbandoned = false;
    const session = openSession(connection, {
      lake,
      query,
      protectedTables,
      scrub: catalog.scrub,
      signal,
      abandon: () => {
        isAbandoned = isBroken = true;
        abandoned.push(database, connection);
      },
      beside: (next) => instance.use(next, signal),
      patience: settings.patience,
    });
    try {
      return await work(session);
    } finally {
      if (!isAbandoned) connection.closeSync();
    }
  }

  const instance: Instance = {
    query,
    get isBroken() {
      return isBroken;
    },
    use,
    clean: () => use(detachOthers),
    close: () => {
      if (!isBroken) database.closeSync();
    },
  };
  return instance;
}

function configuration(settings: InstanceSettings): Record<string, string> {
  return {
    threads: String(settings.threads),
    memory_limit: `${Math.floor(settings.memoryBytes / 1024)}KiB`,
    temp_directory: settings.temporaryFolder,
    disabled_optimizers: settings.disabledOptimizers.join(','),
    dynamic_or_filter_threshold: String(mostKeysOneByOne),
    // Grows with every commit otherwise.
    enable_external_file_cache: 'false',
    autoinstall_known_extensions: 'false',
    ...extensionSettings(Object.values(settings.extensions)),
    allow_community_extensions: 'false',
  };
}

async function attach(database: DuckDBInstance, settings: InstanceSettings): Promise<void> {
  const connection = await database.connect();
  try {
    await loadExtensions(connection, Object.values(settings.extensions));
    for (const statement of setUp(settings)) await connection.run(statement.text);
    const {catalog, dataPath, lake} = settings;
    await attachLake(connection, lakeAlias, {catalog, dataPath, metadataSchema: lake.metadataSchema});
    for (const statement of wall(settings)) await connection.run(statement.text);
  } finally {
    connection.closeSync();
  }
}

function setUp({extensions, query}: InstanceSettings): Sql[] {
  return [
    ...(extensions.httpfs === undefined ? [] : [sql`SET GLOBAL http_timeout = 5`]),
    sql`SET GLOBAL TimeZone = ${literal(query.timeZone)}`,
    sql`SET GLOBAL default_null_order = ${literal(query.defaultNullOrder)}`,
    sql`SET GLOBAL default_order = ${literal(query.defaultOrder)}`,
    sql`SET GLOBAL default_collation = ${literal(query.defaultCollation)}`,
    sql`SET GLOBAL integer_division = ${literal(query.integerDivision)}`,
    // Many short tries: a growing wait starves beside a writer that commits all the time.
    sql`SET GLOBAL ducklake_max_retry_count = 200`,
    sql`SET GLOBAL ducklake_retry_wait_ms = 10`,
    sql`SET GLOBAL ducklake_retry_backoff = 1.0`,
  ];
}

/** Round what a user's query could name: nothing of this machine but the lake's own files and ours. */
function wall({dataPath, folders, temporaryFolder}: InstanceSettings): Sql[] {
  const allowed = [dataPath, temporaryFolder, ...folders].map((folder) => `${folder.replace(/\/+$/, '')}/`);
  return [sql`SET GLOBAL allowed_directories = ${literal(allowed)}`, sql`SET GLOBAL enable_external_access = false`];
}

async function detachOthers(session: Session): Promise<void> {
  const others = await session.rows<{name: string}>(
    sql`SELECT database_name AS name FROM duckdb_databases()
      WHERE NOT internal AND database_name NOT IN ('memory', ${literal(lakeAlias)}) AND NOT starts_with(database_name, '__ducklake_metadata_')`,
  );
  for (const {name} of others) await session.run(sql`DETACH ${identifier(name)}`);
}
