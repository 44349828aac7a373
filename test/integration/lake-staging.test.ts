import {mkdir, readdir, rm, utimes} from 'node:fs/promises';
import path from 'node:path';
import {expect, test} from 'vitest';
import {defaultSettings} from '../../src/definition/definition.ts';
import {
  readStaged,
  removeOldStaging,
  removeStaging,
  StagedFileGone,
  stagingFolder,
  writeStaged,
} from '../../src/lake/staging.ts';
import {raw, sql} from '../../src/sql.ts';
import {aLake} from '../support/lake.ts';

const table = {schema: 'main', name: 't'};

test('staged rows come back as they were, whatever their types', async () => {
  await using lake = await aLake();
  await lake.lake.compute(defaultSettings, async (session) => {
    await session.run(
      raw(`CREATE TEMP TABLE change AS SELECT 9007199254740993::HUGEINT AS c0, INTERVAL '1 month 3 microseconds' AS c1,
        [18446744073709551616::HUGEINT] AS c2, if(range % 2 = 0, 0.0, '-0.0')::DOUBLE AS c3, {"a b": 'it''s, {x}'} AS c4,
        TIMETZ '10:00:00.5+02' AS c5, NULL::DECIMAL(38,4) AS c6, -2::BIGINT AS weight FROM range(10000)`),
    );
    const folder = stagingFolder(lake.lake, table, 'run-1');
    const first = await writeStaged(session, 'change', folder);
    const second = await writeStaged(session, 'change', folder);
    expect(first).not.toBe(second);
    await readStaged(session, folder, first, 'again');
    const text = (name: string): string => `SELECT columns(*)::VARCHAR FROM ${name}`;
    const differences = await session.rows(
      raw(`(${text('change')} EXCEPT ALL ${text('again')}) UNION ALL (${text('again')} EXCEPT ALL ${text('change')})`),
    );
    expect(differences).toEqual([]);
    const types = await session.rows(sql`SELECT column_type FROM (DESCRIBE change)`);
    expect(await session.rows(sql`SELECT column_type FROM (DESCRIBE again)`)).toEqual(types);
  });
});

test('nested values come back as they were, whatever stands in their texts and in the names of their fields', async () => {
  await using lake = await aLake();
  const values = [
    `{'a b': '}', 'c''d': 2, 'h': 1::HUGEINT}`,
    `[{'k': '[1, "it''s"]'::JSON, 'e': 'b, c'::ENUM('x[1]', 'b, c')}, NULL]`,
    String.raw`MAP {1::HUGEINT: MAP {'\': '"'}}`,
    `{'a[1]': 1, 'b': INTERVAL '1 microsecond'}`,
    `{'a[1]': 1, 'b': 2}`,
    `['it''s', ' x ', 'NULL', NULL]::ENUM('it''s', ' x ', 'NULL')[4]`,
    String.raw`{'h': 1::HUGEINT, 'b': '\x00\xFF'::BLOB}`,
  ];
  await lake.lake.compute(defaultSettings, async (session) => {
    await session.run(
      raw(`CREATE TEMP TABLE change AS SELECT ${values.map((value, i) => `${value} AS c${i}`).join(', ')}`),
    );
    const folder = stagingFolder(lake.lake, table, 'run-1');
    await readStaged(session, folder, await writeStaged(session, 'change', folder), 'again');
    const shown = (name: string): Promise<unknown> =>
      session.rows(
        raw(`SELECT columns(*)::VARCHAR FROM ${name} UNION ALL BY NAME SELECT typeof(columns(*)) FROM ${name}`),
      );
    expect(await shown('again')).toEqual(await shown('change'));
  });
});

test('a file that is gone says so, and removing what is gone is no error', async () => {
  await using lake = await aLake();
  await lake.lake.compute(defaultSettings, async (session) => {
    await session.run(sql`CREATE TEMP TABLE change AS SELECT 1 AS c0, 1::BIGINT AS weight`);
    const folder = stagingFolder(lake.lake, table, 'run-1');
    const file = await writeStaged(session, 'change', folder);
    await rm(path.join(folder, file));
    await expect(readStaged(session, folder, file, 'again')).rejects.toBeInstanceOf(StagedFileGone);
    await writeStaged(session, 'change', folder);
    await removeStaging(folder);
    await removeStaging(folder);
    await expect(readStaged(session, folder, file, 'again')).rejects.toBeInstanceOf(StagedFileGone);
  });
});

test('a file that could not be written to its end is removed: what is full would stay full', async () => {
  await using lake = await aLake();
  await lake.lake.compute(defaultSettings, async (session) => {
    await session.run(raw('CREATE TEMP TABLE change AS SELECT range AS c FROM range(300000)'));
    await session.run(raw(`CREATE TEMP VIEW broken AS SELECT if(c = 299999, error('full'), c) AS c FROM change`));
    const folder = stagingFolder(lake.lake, table, 'run-1');
    await expect(writeStaged(session, 'broken', folder)).rejects.toThrow('full');
    expect(await readdir(folder)).toEqual([]);
  });
});

test('a refresh has a folder of its own, outside of the data, and old ones are removed', async () => {
  await using lake = await aLake();
  const folder = stagingFolder(lake.lake, table, 'run-1');
  expect(folder).toBe(stagingFolder(lake.lake, table, 'run-1'));
  expect(folder).not.toBe(stagingFolder(lake.lake, {...table, name: 'u'}, 'run-1'));
  expect(path.relative(lake.options.dataPath, folder)).toMatch(/^\.\./);
  const now = stagingFolder(lake.lake, table, 'run-2');
  for (const each of [folder, now]) await mkdir(each, {recursive: true});
  await utimes(folder, new Date(0), new Date(0));
  await removeOldStaging(lake.lake, new Date(1000));
  expect(await readdir(path.dirname(folder))).toEqual(['run-2']);
  await removeOldStaging({stagingPath: 's3://bucket/staging'}, new Date());
});
