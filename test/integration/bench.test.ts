import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {expect, inject, test} from 'vitest';
import {generate} from '../../bench/data.ts';
import {openGround, type Site} from '../../bench/ground.ts';
import {create} from '../../bench/engine.ts';
import {measure} from '../../bench/measure.ts';
import {profileOf} from '../../bench/profile.ts';
import {watchStatements} from '../../bench/statements.ts';
import {views} from '../../bench/views.ts';
import {provisionExtensions} from '../../src/dev/provision.ts';
import {findTable} from '../../src/metadata/dynamic-table.ts';

test('the benchmark plays its batches, and its tables are right', async () => {
  await using site = await aSite();
  const watch = watchStatements();
  const options = {scaleFactor: 0.01, rates: [1], rounds: 1, isQuick: true, views: ['total', 'late_lines']};
  const {samples, wrong} = await measure(site, options, watch, () => undefined);
  watch.stop();

  expect(wrong).toEqual([]);
  expect(samples.map(({batch, view}) => `${batch.name} ${view.name}`)).toEqual(
    ['inserts', 'deletes', 'updates', 'irrelevant'].flatMap((batch) => [`${batch} total`, `${batch} late_lines`]),
  );
  const [first] = samples;
  expect(first?.runs.recomputation.refreshed[0]).toMatchObject({action: 'FULL', rowsScanned: expect.any(Number)});
  const profile = first === undefined ? [] : profileOf(first.runs.incremental, (sql) => sql);
  expect(profile.map(({label}) => label)).toContain('commit');
  expect(profile.map(({database}) => database)).toContain('PostgreSQL');
});

test('every view of the benchmark is incremental', async () => {
  await using site = await aSite();
  const ground = await openGround(site, 'bench_views');
  try {
    for (const {name, query} of views.flatMap(({steps}) => steps)) {
      await create(ground.engine, `CREATE DYNAMIC TABLE ${name} TARGET_LAG = '1 day' AS ${query('main')}`);
      expect(await findTable(ground.engine.metadata, `main.${name}`)).toMatchObject({mode: 'incremental', reasons: []});
    }
  } finally {
    await ground.leave();
  }
});

async function aSite(): Promise<Site & AsyncDisposable> {
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-bench-'));
  const dataFolder = path.join(folder, 'tpch');
  await generate(dataFolder, 0.01);
  return {
    postgres: {url: urlOf},
    extensions: await provisionExtensions(['ducklake', 'postgres_scanner']),
    folder,
    dataFolder,
    [Symbol.asyncDispose]: () => rm(folder, {recursive: true, force: true}),
  };
}

/** A database of the test run's PostgreSQL. */
function urlOf(database: string): string {
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${database}`;
  return url.href;
}
