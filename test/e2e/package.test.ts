import {execFile, spawn} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {cp, mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {promisify} from 'node:util';
import {DuckDBInstance} from '@duckdb/node-api';
import {Client, Connection} from '@temporalio/client';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {provisionTemporalCli} from '../../src/dev/provision.ts';
import {literal} from '../../src/sql.ts';
import {aLake, type TestLake} from '../support/lake.ts';
import {aPythonWith} from '../support/python.ts';
import {temporalAddress} from '../support/servers.ts';

/** The package as `npm pack` makes it, installed in a folder beside what it depends on, and the example that uses it. */
let folder: string;
let example: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'freshet-package-'));
  example = path.join(folder, 'host-worker');
  await Promise.all([
    install(folder),
    cp('examples/host-worker', example, {recursive: true}),
    writeFile(path.join(folder, 'package.json'), '{"type": "commonjs"}'),
  ]);
});

afterAll(() => rm(folder, {recursive: true, force: true}));

async function install(into: string): Promise<void> {
  const installed = path.join(into, 'node_modules', 'freshet');
  await mkdir(installed, {recursive: true});
  // It has been built for this run already.
  const packing = ['pack', '--silent', '--ignore-scripts', '--pack-destination', into];
  const {stdout} = await run('npm', packing);
  await run('tar', ['-xzf', path.join(into, stdout.trim()), '-C', installed, '--strip-components=1']);
  const {dependencies, peerDependencies, optionalDependencies} = JSON.parse(readFileSync('package.json', 'utf8'));
  const beside = Object.keys({...dependencies, ...peerDependencies, ...optionalDependencies});
  for (const name of [...beside, '@types/node', 'typescript']) {
    const link = path.join(into, 'node_modules', name);
    await mkdir(path.dirname(link), {recursive: true});
    await symlink(path.resolve('node_modules', name), link);
  }
}

const run = promisify(execFile);

const entries = {
  freshet: ['FreshetClient', 'FreshetError', 'readClientConfig'],
  'freshet/client': ['FreshetClient'],
  'freshet/plugin': ['FreshetPlugin', 'readConfig'],
  'freshet/worker': ['runWorker'],
  'freshet/workflows': ['refreshDynamicTable'],
};

test.each([
  ['an ES module', '--input-type=module', 'await import(name)'],
  ['a CommonJS module', '--input-type=commonjs', 'require(name)'],
])('%s finds every entry of the package', async (_, type, load) => {
  const program = `for (const [name, expected] of Object.entries(${JSON.stringify(entries)})) {
    const found = ${load};
    for (const each of expected) if (!(each in found)) throw new Error(name + ' has no ' + each);
  }`;
  await run(process.execPath, [type, '-e', program], {cwd: folder});
});

test('the package has a bundle of the workflows for the SDK that it was built with, and none for another', async () => {
  const program = `const {ownBundle} = await import('./node_modules/freshet/dist/workflow-bundle.js');
    console.log(JSON.stringify([ownBundle(), ownBundle('1.24.1')]));`;
  const {stdout} = await run(process.execPath, ['--input-type=module', '-e', program], {cwd: folder});
  expect(JSON.parse(stdout)).toEqual([{workflowBundle: {codePath: expect.stringContaining('/dist/')}}, {}]);
});

test('the example and others in TypeScript, be they ES modules, CommonJS or for a bundler, have the types of the package', async () => {
  const program = `
    import {executeChild} from '@temporalio/workflow';
    import {FreshetClient, FreshetError, type DynamicTable, type RefreshResult} from 'freshet';
    import type {ClientOptions} from 'freshet/client';
    import {FreshetPlugin, readConfig} from 'freshet/plugin';
    import {runWorker} from 'freshet/worker';
    import {refreshDynamicTable} from 'freshet/workflows';

    export const plugin = new FreshetPlugin({config: readConfig(process.env)});
    export const worker = (): Promise<void> => runWorker(readConfig(process.env));
    export const client = (options: ClientOptions) => new FreshetClient(options);
    export const names = (tables: readonly DynamicTable[]): string[] => tables.map(({table}) => table);
    export const isOurs = (error: unknown): boolean => error instanceof FreshetError && error.code === 'syntax';
    export const refresh = (): Promise<RefreshResult> => executeChild(refreshDynamicTable, {args: [{table: 't'}]});
    // @ts-expect-error there is no such field
    export const wrong = () => executeChild(refreshDynamicTable, {args: [{tabel: 't'}]});`;
  for (const name of ['user.mts', 'user.cts']) await writeFile(path.join(example, name), program);
  const tsc = path.join(folder, 'node_modules', 'typescript', 'bin', 'tsc');
  const checked = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--types',
    'node',
    'user.mts',
    'user.cts',
  ];
  const checks = [
    ['--project', '.'],
    ['--module', 'node16', '--target', 'es2022', ...checked],
    ['--module', 'esnext', '--moduleResolution', 'bundler', ...checked],
  ];
  await Promise.all(
    checks.map((flags) =>
      expect(run(process.execPath, [tsc, ...flags], {cwd: example})).resolves.toMatchObject({stdout: ''}),
    ),
  );
});

test('a host does what its workflows and those of other programs ask of it, with a bundle made before or without', async (context) => {
  await using lake = await aLake();
  await lake.run('create table orders (day date, customer varchar, amount integer)');
  const prefix = `host-${randomUUID().slice(0, 8)}-`;
  const environment = {
    FRESHET_LAKE: `ducklake:postgres:${lake.options.catalog}`,
    FRESHET_LAKE_DATA_PATH: lake.options.dataPath,
    FRESHET_METADATA_URL: lake.options.catalog,
    FRESHET_MIGRATE: 'true',
    FRESHET_PREFIX: prefix,
    FRESHET_TASK_QUEUE: 'warehouse',
    FRESHET_DUCKDB_EXTENSIONS: path.dirname(lake.options.extensions.ducklake),
    TEMPORAL_ADDRESS: temporalAddress(),
    HOME: await aHome(lake),
  };
  const env = {...process.env, ...environment};
  const node = (program: string, ...args: string[]) =>
    run(process.execPath, [path.join(folder, program), ...args], {env});
  const python = aPythonWith('temporalio==1.35.0');
  await using _ = aSchedule(`${prefix}dynamic-table:main.sales`);

  {
    await using _host = aHost(path.join(example, 'lib', 'worker.js'), env);
    const statement = `create dynamic table sales target_lag = '1 day' as
      select customer, sum(amount) as amount from orders group by customer`;
    await node('node_modules/freshet/dist/freshet.cjs', 'create', statement);
    const {stdout} = await node('host-worker/lib/load.js', '2026-11-25');
    expect(stdout).toContain('10000 orders of 2026-11-25');
    expect(stdout).toMatch(/customer \d+.*\b4\d\d\b/);
  }

  await writeFile(path.join(example, 'bundled.cjs'), bundled);
  await using _host = aHost(path.join(example, 'bundled.cjs'), env);
  await lake.run(`insert into orders values ('2026-11-26', 'customer 1', 1000)`);
  const input = JSON.stringify({table: 'sales'});
  const asked = ['--type', 'refreshDynamicTable', '--task-queue', 'warehouse', '--input', input, '--output', 'json'];
  const cli = await run(await provisionTemporalCli(), ['workflow', 'execute', ...asked], {env});
  expect(JSON.parse(cli.stdout)).toMatchObject({status: 'COMPLETED', result: refreshed});

  const found = await python;
  if (typeof found === 'string') return context.skip(found);
  await lake.run(`insert into orders values ('2026-11-26', 'customer 2', 1000)`);
  const program = path.resolve('examples/python/nightly.py');
  expect(JSON.parse(await found.run([program, 'warehouse', 'sales'], environment))).toMatchObject(refreshed);
  expect(await lake.rows('select max(amount)::integer from sales')).toEqual([[1400]]);
});

/** A worker whose bundle is made beforehand, in CommonJS. */
const bundled = `
  const {bundleWorkflowCode, NativeConnection, Worker} = require('@temporalio/worker');
  const {FreshetPlugin, readConfig} = require('freshet/plugin');
  void (async () => {
    const config = readConfig(process.env);
    const plugins = [new FreshetPlugin({config})];
    const workflowBundle = await bundleWorkflowCode({workflowsPath: require.resolve('./lib/workflows.js'), plugins});
    const connection = await NativeConnection.connect(config.temporal.connectionOptions);
    const worker = await Worker.create({connection, taskQueue: 'warehouse', workflowBundle, plugins});
    await worker.run();
    await connection.close();
  })();`;

const refreshed = {outcome: 'refreshed', refresh: {action: 'INCREMENTAL'}};

/** A user's worker, until it goes out of scope. */
function aHost(program: string, env: NodeJS.ProcessEnv): AsyncDisposable {
  const child = spawn(process.execPath, [program], {
    env: {...env, UV_THREADPOOL_SIZE: '16'},
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = once(child, 'close');
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
      process.off('exit', endWithUs);
      if (child.exitCode !== 0) throw new Error(`The worker has ended with ${child.exitCode}: ${log}`);
    },
  };
}

function aSchedule(id: string): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      const connection = await Connection.connect({address: temporalAddress()});
      await new Client({connection}).schedule.getHandle(id).delete();
      await connection.close();
    },
  };
}

/** The home of a user whose DuckDB has installed the extensions that a lake needs. */
async function aHome({options}: TestLake): Promise<string> {
  const home = path.join(folder, 'home');
  const directory = path.join(home, '.duckdb', 'extensions');
  await mkdir(directory, {recursive: true});
  const instance = await DuckDBInstance.create(':memory:', {extension_directory: directory});
  const connection = await instance.connect();
  for (const file of Object.values(options.extensions)) await connection.run(`INSTALL ${literal(file).text}`);
  connection.closeSync();
  instance.closeSync();
  return home;
}
