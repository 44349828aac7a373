import {expect, test} from 'vitest';
import {defaultSettings} from '../../src/definition/definition.ts';
import {changeByTimeTravel, changeOf} from '../support/change.ts';
import {aLake, type TestLake} from '../support/lake.ts';

/*
 * Random histories, with the owner's maintenance mixed in: between any two snapshots the net of the feed is what time travel shows.
 * Left out are zeros, whose sign the lake forgets, and inlining together with rewriting, after which time travel itself is wrong.
 */

const table = {schema: 'main', name: 't'};
const columns = ['k', 's', 'f', 'snapshot_id'];

const cases = [
  {inlinedRows: 0, maintenance: ['merge', 'rewrite', 'flush']},
  {inlinedRows: 10, maintenance: ['merge', 'flush']},
].flatMap((setting) => [1, 2].map((seed) => ({...setting, seed})));

test.each(cases)(
  'feeds add up to time travel: %o',
  async ({inlinedRows, maintenance, seed}) => {
    await using lake = await aLake();
    const random = randomNumbers(seed);
    await lake.run(`CALL lake.set_option('data_inlining_row_limit', ${inlinedRows})`);
    await lake.run(`CREATE TABLE t (k INTEGER, s VARCHAR, f DOUBLE, snapshot_id INTEGER)`);
    const first = await lake.snapshot();
    for (let step = 0; step < 40; step++) await act(lake, random, maintenance);
    const last = await lake.snapshot();

    await lake.lake.compute(defaultSettings, async (session) => {
      for (let check = 0; check < 30; check++) {
        const [from, to] = [between(random, first, last), between(random, first, last)].sort((a, b) => a - b) as [
          number,
          number,
        ];
        const range = {from, to, columns};
        expect(await changeOf(session, table, range), `(${from}, ${to}]`).toEqual(
          await changeByTimeTravel(session, table, range),
        );
      }
    });
  },
  180_000,
);

async function act(lake: TestLake, random: () => number, maintenance: readonly string[]): Promise<void> {
  const k = between(random, 0, 30);
  const row = (): string =>
    `(${between(random, 0, 30)}, ${between(random, 0, 3)}, ${['2.5', "'nan'", 'NULL', '1.5'][between(random, 0, 3)]}, 7)`;
  const rows = (count: number): string => Array.from({length: count}, row).join(', ');
  const actions: (() => Promise<unknown>)[] = [
    () => lake.run(`INSERT INTO t VALUES ${rows(between(random, 1, 30))}`),
    () => lake.run(`INSERT INTO t VALUES ${rows(2)}`),
    () => lake.run(`DELETE FROM t WHERE k = ${k}`),
    () => lake.run(`DELETE FROM t WHERE k % 3 = ${k % 3}`),
    () => lake.run(`UPDATE t SET s = s || 'x', f = -f WHERE k BETWEEN ${k} AND ${k + 5}`),
    () => lake.run(`BEGIN; DELETE FROM t WHERE k > ${k}; INSERT INTO t VALUES ${rows(3)}; COMMIT`),
    () => lake.run(random() < 0.2 ? `TRUNCATE t` : `INSERT INTO t VALUES ${rows(12)}`),
    () => lake.run(`CREATE OR REPLACE TABLE other AS SELECT ${k} AS k`),
    () => maintain(lake, maintenance[between(random, 0, maintenance.length - 1)] ?? ''),
    () => maintain(lake, maintenance[between(random, 0, maintenance.length - 1)] ?? ''),
  ];
  await actions[between(random, 0, actions.length - 1)]?.();
}

async function maintain(lake: TestLake, kind: string): Promise<unknown> {
  switch (kind) {
    case 'merge':
      return await lake.run(`CALL ducklake_merge_adjacent_files('lake', 't')`);
    case 'rewrite':
      return await lake.run(`CALL ducklake_rewrite_data_files('lake', 't', delete_threshold => 0)`);
    default:
      return await lake.run(`CALL ducklake_flush_inlined_data('lake', table_name => 't')`);
  }
}

function between(random: () => number, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

/** Mulberry32. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
