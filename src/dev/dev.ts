import {chmod, mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {z} from 'zod';
import {literal, sql} from '../sql.ts';
import {prepareDatabases} from './databases.ts';
import {lockFolder} from './lock.ts';
import {startPostgres, type PostgresServer} from './postgres.ts';
import {mergeEnvironment, removeStackFile, stackFolder, writeStackFile, type RunningStack} from './stack-file.ts';
import {startTemporal, type TemporalServer} from './temporal-server.ts';
import {startWorkerProcess} from './worker-process.ts';

export type DevStack = RunningStack & {
  /** Where Temporal's CLI is, of the version of its server. */
  readonly temporalCli: string;
  /** Fulfilled with the name of the first part that ended without being asked to. */
  readonly broken: Promise<string>;
  /** Stops the worker, Temporal and PostgreSQL, in this order. What was not finished goes on at the next start. */
  readonly stop: () => Promise<void>;
};

/**
 * PostgreSQL, Temporal with its Web UI and a worker, on loopback and free ports, their data in one folder. They go on where
 * they were when they are started again, also after everything was killed.
 *
 * `const stack = await startDevStack({folder: '.freshet'})`
 */
export async function startDevStack(options: {
  readonly folder?: string;
  /** Told what is being done, for people. */
  readonly progress?: (text: string) => void;
  /** For the worker, beside what the stack itself tells it. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}): Promise<DevStack> {
  const folder = path.resolve(options.folder ?? stackFolder);
  const {progress = () => undefined} = options;
  await mkdir(folder, {recursive: true});
  // Under root, PostgreSQL runs as another user, who must be able to pass.
  await chmod(folder, 0o711);
  const stops = [await lockFolder(folder)];
  const stop = async (): Promise<void> => {
    for (let next = stops.pop(); next; next = stops.pop()) await next();
  };
  try {
    const ports = await readPorts(folder);
    progress('Starting PostgreSQL …');
    const postgres = await startPostgres({folder: path.join(folder, 'postgres'), port: ports.postgres});
    stops.push(postgres.stop);
    progress('Starting Temporal …');
    const temporal = await startTemporal({
      ...{folder: path.join(folder, 'temporal'), port: ports.temporal, uiPort: ports.webUi},
    });
    stops.push(temporal.stop);
    await writePorts(folder, {postgres: postgres.port, temporal: temporal.port, webUi: temporal.uiPort});

    progress('Preparing the lake …');
    const running = await describe(folder, postgres, temporal);
    const dataPath = path.join(folder, 'lake');
    await prepareDatabases({
      ...{adminUrl: postgres.url('postgres'), database, databaseUrl: postgres.url(database)},
      ...{catalog: catalogOf(folder, postgres.port), dataPath},
    });
    progress('Starting the worker …');
    const worker = await startWorkerProcess({
      folder: path.join(folder, 'worker'),
      // A task queue that is named is that of somebody else's worker, which the commands are to ask.
      environment: mergeEnvironment(
        {...process.env, ...options.environment, FRESHET_TASK_QUEUE: undefined},
        running.environment,
      ),
      temporalAddress: temporal.address,
    });
    stops.push(worker.stop);
    await writeStackFile(folder, running);
    stops.push(() => removeStackFile(folder));

    const broken = Promise.race([
      postgres.ended.then(() => 'PostgreSQL'),
      temporal.ended.then(() => 'Temporal'),
      worker.ended.then(() => 'the worker'),
    ]);
    return {...running, temporalCli: temporal.cli, broken, stop};
  } catch (error) {
    await stop();
    throw error;
  }
}

const database = 'lake';

async function describe(folder: string, postgres: PostgresServer, temporal: TemporalServer): Promise<RunningStack> {
  const url = postgres.url(database);
  const {username, password} = new URL(url);
  await writeFile(path.join(folder, 'pgpass'), `127.0.0.1:${postgres.port}:*:${username}:${password}\n`, {mode: 0o600});
  const catalog = catalogOf(folder, postgres.port);
  // Instead of the user's own file, whose profile may be for another Temporal; the `temporal` CLI reads it too.
  const profile = `[profile.default]\naddress = "${temporal.address}"\nnamespace = "default"\n`;
  await writeFile(path.join(folder, 'temporal.toml'), profile);
  return {
    webUiUrl: temporal.uiUrl,
    attach: sql`ATTACH ${literal(catalog)} AS lake`.text,
    environment: {
      FRESHET_LAKE: catalog,
      FRESHET_LAKE_DATA_PATH: path.join(folder, 'lake'),
      FRESHET_STAGING_PATH: path.join(folder, 'staging'),
      FRESHET_METADATA_URL: url,
      FRESHET_DUCKDB_TEMP_DIRECTORY: path.join(folder, 'spill'),
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_CONFIG_FILE: path.join(folder, 'temporal.toml'),
    },
  };
}

/** The password is left to a file that only its owner may read, so that the address can be shown. */
function catalogOf(folder: string, port: number): string {
  const passfile = path.join(folder, 'pgpass').replaceAll(/[\\']/g, '\\$&');
  return `ducklake:postgres:host=127.0.0.1 port=${port} dbname=${database} user=freshet passfile='${passfile}'`;
}

const portsFile = z.object({postgres: z.int(), temporal: z.int(), webUi: z.int()}).partial();

/** The ports of the last time, which bookmarks and open sessions know. */
async function readPorts(folder: string): Promise<z.infer<typeof portsFile>> {
  const text = await readFile(path.join(folder, 'ports.json'), 'utf8').catch(() => '{}');
  return portsFile.parse(JSON.parse(text));
}

async function writePorts(folder: string, ports: Required<z.infer<typeof portsFile>>): Promise<void> {
  await writeFile(path.join(folder, 'ports.json'), `${JSON.stringify(ports)}\n`);
}
