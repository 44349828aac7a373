import {DuckDBInstance} from '@duckdb/node-api';
import {defaultSettings} from '../src/definition/definition.ts';
import {lakeAlias} from '../src/lake/alias.ts';
import {extensionSettings, loadExtensions} from '../src/lake/extensions.ts';
import type {Lake} from '../src/lake/lake.ts';
import {binderOptimizersOff, computeOptimizersOff} from '../src/lake/optimizers.ts';
import {openSession, type Session} from '../src/lake/session.ts';
import {identifier} from '../src/sql.ts';

/** Where a lake is. */
export type Place = {readonly postgresUrl: string; readonly metadataSchema: string; readonly dataPath: string};

export type Extensions = {readonly ducklake: string; readonly postgres_scanner: string};

/**
 * Opens one lake after another in the same few DuckDB instances. `openLake` opens instances for every lake, 160 ms each, most of
 * it for loading the extensions; thousands of small lakes would spend half their time on that. What is given up is the wall round
 * the file system, which can't be opened again for the next lake.
 */
export type Lakes = {
  /** One at a time: callers leave a lake before they enter the next. */
  readonly enter: (place: Place) => Promise<Lake>;
  readonly leave: () => Promise<void>;
  readonly close: () => void;
};

export async function openLakes(extensions: Extensions, stagingPath: string): Promise<Lakes> {
  const computing = await openInstance(extensions, computeOptimizersOff);
  const binding = await openInstance(extensions, binderOptimizersOff);
  return {
    enter: async (place) => {
      const [compute, bind] = [await computing.enter(place), await binding.enter(place)];
      return {
        name: publicName,
        stagingPath,
        compute: (_, work) => compute(work),
        look: (work) => compute(work),
        bind: (_, work) => bind(work),
        close: () => undefined,
      };
    },
    leave: async () => {
      await computing.leave();
      await binding.leave();
    },
    close: () => {
      computing.close();
      binding.close();
    },
  };
}

/** What queries call the lake, and everybody outside. */
export const publicName = 'lake';

type Use = <T>(work: (session: Session) => Promise<T>) => Promise<T>;

/** Closing what a fatal error has struck ends the process: see `src/lake/instance.ts`. */
const abandoned: unknown[] = [];

/** A DuckDB of ours, and another one after a fatal error, as a worker does it. */
async function openInstance(extensions: Extensions, disabledOptimizers: readonly string[]) {
  let database = await openDuckDB(extensions, disabledOptimizers);
  let isBroken = false;
  return {
    enter: async (place: Place): Promise<Use> => {
      await attach(database, lakeAlias, place);
      const protectedTables = new Set<number>();
      const use: Use = async (work) => {
        if (isBroken) {
          database = await openDuckDB(extensions, disabledOptimizers);
          isBroken = false;
          await attach(database, lakeAlias, place);
        }
        const connection = await database.connect();
        const session = openSession(connection, {
          lake: {name: publicName, metadataSchema: place.metadataSchema},
          query: defaultSettings,
          scrub: (text) => text.replaceAll(place.postgresUrl, '<catalog>'),
          signal: undefined,
          abandon: () => {
            isBroken = true;
            abandoned.push(database, connection);
          },
          beside: use,
          protectedTables,
        });
        try {
          return await work(session);
        } finally {
          if (!abandoned.includes(connection)) connection.closeSync();
        }
      };
      return use;
    },
    leave: async () => {
      if (isBroken) database = await openDuckDB(extensions, disabledOptimizers);
      else await detachAll(database);
      isBroken = false;
    },
    close: () => {
      if (!isBroken) database.closeSync();
    },
  };
}

/** A DuckDB with the extensions loaded and the settings that the lake's own instances have. */
export async function openDuckDB(
  extensions: Extensions,
  disabledOptimizers: readonly string[],
): Promise<DuckDBInstance> {
  const files = Object.values(extensions);
  const database = await DuckDBInstance.create(':memory:', {
    ...extensionSettings(files),
    threads: '1',
    disabled_optimizers: disabledOptimizers.join(','),
    dynamic_or_filter_threshold: '1000',
    enable_external_file_cache: 'false',
  });
  const connection = await database.connect();
  await loadExtensions(connection, files);
  await connection.run(`SET GLOBAL TimeZone = 'UTC'`);
  connection.closeSync();
  return database;
}

/** Attaches a lake, which is made when it is new. */
export async function attach(database: DuckDBInstance, name: string, place: Place): Promise<void> {
  const {postgresUrl, metadataSchema, dataPath} = place;
  const connection = await database.connect();
  await connection.run(
    `ATTACH 'ducklake:postgres:${postgresUrl}' AS ${name} (DATA_PATH '${dataPath}', METADATA_SCHEMA '${metadataSchema}')`,
  );
  connection.closeSync();
}

/** The lake, and whatever a refresh that failed has left attached. */
export async function detachAll(database: DuckDBInstance): Promise<void> {
  const connection = await database.connect();
  const reader = await connection.runAndReadAll(
    `SELECT database_name FROM duckdb_databases()
      WHERE NOT internal AND database_name <> 'memory' AND NOT starts_with(database_name, '__ducklake_metadata_')`,
  );
  for (const [name] of reader.getRows()) await connection.run(`DETACH ${identifier(String(name)).text}`);
  connection.closeSync();
}
