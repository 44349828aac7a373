import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {expect, test} from 'vitest';
import {defaultSettings} from '../../src/definition/definition.ts';
import {removeDeadSpill, spillFolder} from '../../src/lake/spill.ts';
import {raw, type Sql} from '../../src/sql.ts';
import {aLake} from '../support/lake.ts';

/** More than the 256 MiB that an instance has here. */
const large = (seed: number): Sql =>
  raw(`CREATE OR REPLACE TEMP TABLE large AS
    SELECT i, hash(i + ${seed}) AS h, repeat(i::VARCHAR, 12) AS s FROM range(3_000_000) rows(i) ORDER BY h`);

test('two computations that do not fit into memory do not meet on disk', async () => {
  await using lake = await aLake({memoryLimitBytes: 1, threads: 1});
  const sums = await Promise.all(
    [1, 2].map((seed) =>
      lake.lake.compute(defaultSettings, async (session) => {
        await session.run(large(seed));
        const spilled = raw(`SELECT count(*) > 0 AS spilled FROM duckdb_temporary_files()`);
        const sum = raw(`SELECT sum(i)::VARCHAR AS sum, count(*) AS rows FROM large`);
        return [await session.rows(spilled), await session.rows(sum)];
      }),
    ),
  );
  const whole = [[{spilled: true}], [{sum: '4499998500000', rows: 3_000_000}]];
  expect(sums).toEqual([whole, whole]);
});

test('spill files are removed once the process that they are of was killed, and while it lives, or only stands still, never', async () => {
  const built = path.resolve(`build.spill-${process.pid}`);
  const parent = await mkdtemp(path.join(tmpdir(), 'freshet-spill-'));
  const options = ['--rootDir', 'src/lake', '--outDir', built, '--ignoreConfig', '--types', 'node'];
  const language = ['--module', 'nodenext', '--target', 'es2023', '--skipLibCheck'];
  const compiler = ['node_modules/typescript/bin/tsc', 'src/lake/spill.ts'];
  execFileSync(process.execPath, [...compiler, ...options, ...language], {stdio: 'inherit'});
  const script = `const {spillFolder} = await import(${JSON.stringify(path.join(built, 'spill.js'))});
    console.log(await spillFolder(${JSON.stringify(parent)}));
    process.stdin.resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script]);
  const ended = once(child, 'exit');
  try {
    const ours = await spillFolder(parent);
    const [told] = (await once(child.stdout, 'data')) as [Buffer];
    const theirs = told.toString().trim();
    child.kill('SIGSTOP');
    await removeDeadSpill(parent);
    expect([ours, theirs].map(existsSync)).toEqual([true, true]);

    child.kill('SIGKILL');
    await ended;
    await removeDeadSpill(parent);
    expect([ours, theirs].map(existsSync)).toEqual([true, false]);
  } finally {
    child.kill('SIGKILL');
    for (const folder of [built, parent]) await rm(folder, {recursive: true, force: true});
  }
});
