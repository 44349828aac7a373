import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {afterAll, beforeAll, expect, inject, test} from 'vitest';
import {generate} from '../../bench/data.ts';
import {openGround, type Ground} from '../../bench/ground.ts';
import {create} from '../../bench/engine.ts';
import {measureAt} from '../../bench/measure.ts';
import {wrongTables} from '../../bench/judge.ts';
import {profileOf} from '../../bench/profile.ts';
import {watchStatements} from '../../bench/statements.ts';
import {views} from '../../bench/views.ts';
import {provisionExtensions} from '../../src/dev/provision.ts';
import {findTable} from '../../src/metadata/dynamic-table.ts';

let folder: string;
let ground: Ground;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'freshet-bench-'));
  const dataFolder = path.join(folder, 'tpch');
  await generate(dataFolder, 0.001);
  const extensions = await provisionExtensions(['ducklake', 'postgres_scanner']);
  ground = await openGround({postgres: {url: urlOf}, extensions, folder, dataFolder}, 'bench');
});

afterAll(async () => {
  await ground.leave();
  await rm(folder, {recursive: true, force: true});
});

test('every view of the benchmark is incremental', {timeout: 180_000}, async () => {
  for (const {name, query} of views.flatMap(({steps}) => steps)) {
    await create(ground.engine, `CREATE DYNAMIC TABLE ${name} TARGET_LAG = '1 day' AS ${query('main')}`);
    expect(await findTable(ground.engine.metadata, `main.${name}`)).toMatchObject({mode: 'incremental', reasons: []});
  }
});

test('the benchmark plays its batches, and its tables are right', {timeout: 180_000}, async () => {
  const watch = watchStatements();
  const {samples, wrong} = await measureAt(ground, 1, {rounds: 1, views: ['suppliers']}, watch, () => undefined);
  watch.stop();

  expect(wrong).toEqual([]);
  expect(samples.map(({batch}) => batch.name)).toEqual(['inserts', 'deletes', 'updates', 'irrelevant']);
  const runs = samples[0]!.runs; // There are four.
  expect(runs.recomputation.refreshed[0]).toMatchObject({action: 'FULL', recomputed: 'all'});
  const profile = profileOf(runs.incremental, (sql) => sql);
  expect(profile.map(({label}) => label)).toContain('commit');
  expect(profile.map(({database}) => database)).toContain('PostgreSQL');
});

test('a table that differs from its query is found', async () => {
  const view = views.find(({name}) => name === 'suppliers')!; // One of them.
  await ground.engineer.run('DELETE FROM hand.suppliers WHERE l_suppkey = 1');
  expect(await wrongTables(ground.writer, view)).toEqual([
    expect.stringMatching(/^hand.suppliers: 1 rows are missing/),
  ]);
});

/** A database of the test run's PostgreSQL. */
function urlOf(database: string): string {
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${database}`;
  return url.href;
}
