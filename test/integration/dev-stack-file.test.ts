import {execFile} from 'node:child_process';
import {mkdir, mkdtemp, rm, stat} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {lockFolder} from '../../src/dev/lock.ts';
import {findStack, stackFolder, withStack, writeStackFile, type RunningStack} from '../../src/dev/stack-file.ts';

const running: RunningStack = {
  webUiUrl: 'http://127.0.0.1:8233',
  attach: 'ATTACH …',
  environment: {
    FRESHET_LAKE: `ducklake:postgres:dbname=lake passfile='/home/a "b" $c\\d/pgpass'`,
    TEMPORAL_ADDRESS: '127.0.0.1:7233',
  },
};

/** A folder with a stack that this process claims to run, and a folder deep in it. */
async function aProject(): Promise<{deep: string; folder: string; end: () => Promise<void>} & AsyncDisposable> {
  const root = await mkdtemp(path.join(tmpdir(), 'freshet-test-'));
  const folder = path.join(root, stackFolder);
  const deep = path.join(root, 'queries', 'daily');
  await Promise.all([folder, deep].map((each) => mkdir(each, {recursive: true})));
  const end = await lockFolder(folder);
  await writeStackFile(folder, running);
  return {folder, deep, end, [Symbol.asyncDispose]: () => rm(root, {recursive: true, force: true})};
}

test('a running stack is found from its folder and from those in it', async () => {
  await using project = await aProject();
  expect(await findStack(path.dirname(project.folder))).toEqual(running);
  expect(await findStack(project.deep)).toEqual(running);
  expect((await stat(path.join(project.folder, 'stack.json'))).mode & 0o777).toBe(0o600);
});

test('a shell reads the environment of a stack from a file', async () => {
  await using project = await aProject();
  const file = path.join(project.folder, 'env');
  const script = `set -a; . '${file}'; exec "$0" -p 'JSON.stringify(process.env)'`;
  const {stdout} = await promisify(execFile)('/bin/sh', ['-c', script, process.execPath]);
  expect(JSON.parse(stdout)).toMatchObject(running.environment);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('a stack whose process is gone is not found', async () => {
  await using project = await aProject();
  await project.end();
  expect(await findStack(project.deep)).toBeUndefined();
});

test('servers that the environment names are meant, whatever runs here', async () => {
  await using project = await aProject();
  for (const name of ['FRESHET_LAKE', 'FRESHET_METADATA_URL', 'TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE']) {
    expect(await withStack({[name]: 'mine'}, project.deep)).toEqual({[name]: 'mine'});
  }
});

test("a stack brings its own Temporal, without another one's key", async () => {
  await using project = await aProject();
  const environment = {HOME: '/home/me', TEMPORAL_API_KEY: 'secret', FRESHET_LOG_LEVEL: 'debug'};
  expect(await withStack(environment, project.deep)).toEqual({
    HOME: '/home/me',
    FRESHET_LOG_LEVEL: 'debug',
    ...running.environment,
  });
});
