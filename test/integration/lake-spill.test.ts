import {expect, test} from 'vitest';
import {defaultSettings} from '../../src/definition/definition.ts';
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
