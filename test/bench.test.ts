import {expect, test} from 'vitest';
import {batchesOver} from '../bench/batches.ts';
import {chart} from '../bench/chart.ts';
import {concerns} from '../bench/measure.ts';
import {readOptions} from '../bench/options.ts';
import {report} from '../bench/report.ts';
import {median, type EngineFigures, type Result} from '../bench/result.ts';
import {rivalOf} from '../bench/rivals.ts';
import {coveredMs} from '../bench/statements.ts';
import {targets} from '../bench/targets.ts';
import {views} from '../bench/views.ts';

test('scale factor 1 plays three views at two rates, 0.1 all of them at four, and a quick run at one', () => {
  expect(readOptions(['--sf', '1'])).toEqual({
    ...{scaleFactor: 1, rates: [0.1, 1], rounds: 5, isQuick: false},
    views: ['total', 'suppliers', 'shipping'],
  });
  expect(readOptions([])).toMatchObject({rates: [0.01, 0.1, 1, 10], views: views.map(({name}) => name)});
  expect(readOptions(['--quick', '--rates', '1'])).toMatchObject({rates: [1], rounds: 3, isQuick: true});
});

test.each([
  ['--sf', '2'],
  ['--rates', '0'],
  ['--rates', 'many'],
  ['--rates', '50'],
])('%s %s is refused', (...args) => {
  expect(() => readOptions(args)).toThrow('npm run bench');
});

test('somebody has written SQL for every view and every batch that concerns it', () => {
  for (const view of views) {
    for (const batch of batchesOver('generated').filter((each) => concerns(each, view))) {
      const statements = rivalOf(view)({first: 3, last: 7}, batch.name);
      for (const {name: table} of view.steps.slice(-1)) expect(statements.join('\n')).toContain(`hand.${table}`);
    }
  }
});

test('the median of an even number of figures is the mean of the two in the middle', () => {
  expect(median([5, 1, 9])).toBe(5);
  expect(median([4, 1, 9, 2])).toBe(3);
});

test('statements that overlap are counted once, and only as far as they lie within', () => {
  const during = {startedAt: 0, endedAt: 100};
  const spans = [
    {startedAt: 90, endedAt: 130},
    {startedAt: 10, endedAt: 30},
    {startedAt: 20, endedAt: 25},
    {startedAt: -5, endedAt: 5},
  ];
  expect(coveredMs(spans, during)).toBe(5 + 20 + 10);
});

test('a report says what was found', () => {
  const text = report(sound, 'sf1.svg');
  expect(text).toContain(
    '| one group | inserts | 6,000 | INCREMENTAL | none | 100 | 160 | 90 | 1.60 | 0.90 | 20 | 6,000 | 6,000,000 |',
  );
  expect(text).toContain('| one group, 0.1 % inserted: recomputation ÷ refresh | ≥ 1.5 × | 1.60 × | met |');
  expect(text).toContain('| outside of SQL, an idle tick | ≤ 100 ms | 120 ms | missed |');
  expect(text).toContain('| extract | 1.5 (1) | 0.0 (0) | 0.0 (0) | 0.0 |');
  expect(text).toContain('| extract | count lineitem | 1.5 | `SELECT 1 \\| 2` |');
  expect(text).toContain('| inserts | 1.60 / 0.90 | 1.60 / 0.90 |');
  expect(text).toContain('| one group | 1.60 / 0.90 | 1.60 / 0.90 |');
  expect(text).toContain('- one group, inserts: recomputing is cheaper');
  expect(text).toContain('By the median an incremental refresh spends 20 ms outside of SQL, 20 % of its time');
  expect(text).not.toContain('void');
});

test('a report of a run with a wrong table says that it is void, and which table it was', () => {
  const text = report({...sound, verdict: 'void', wrong: ['hand.total: 1 rows are missing']}, 'sf1.svg');
  expect(text).toContain('**This run is void: no figure counts.**');
  expect(text).toContain('- hand.total: 1 rows are missing');
});

test('a target that a run did not measure is neither met nor missed', () => {
  const found = targets({cases: [], temporal: null});
  expect(new Set(found.map(({isMet}) => isMet))).toEqual(new Set([null]));
});

test('the chart is an SVG file with a dot for each rival', () => {
  const svg = chart(sound.cases, 'TPC-H');
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  expect(svg.match(/<circle /g)).toHaveLength(2);
  expect(svg).toContain('one group');
});

const engine: EngineFigures = {
  ...{ms: 100, rounds: [90, 100, 110], outsideSqlMs: 20, rowsScanned: 6000},
  ...{actions: ['INCREMENTAL'], reasons: ['recomputing is cheaper'], recomputed: ['none']},
};

const sound: Result = {
  verdict: 'sound',
  wrong: [],
  startedAt: '2026-11-26T06:30:00.000Z',
  options: {scaleFactor: 1, rates: [0.1], rounds: 3, isQuick: false, views: ['total']},
  machine: {
    processor: 'a processor',
    cores: 2,
    memoryGiB: 24,
    memoryLimitGiB: 4,
    platform: 'linux x64',
    versions: {node: '20'},
  },
  cases: [
    {
      ...{rate: 0.1, batch: 'inserts', view: 'total', title: 'one group', changedRows: 6000},
      incremental: engine,
      recomputation: {...engine, ms: 160, rowsScanned: 6_000_000, actions: ['FULL'], recomputed: ['all']},
      hand: {ms: 90, rounds: [90]},
    },
  ],
  profile: [{phase: 'extract', label: 'count lineitem', database: 'DuckDB', ms: 1.5, sql: 'SELECT 1 | 2'}],
  temporal: {
    idleTick: {ms: 150, outsideSqlMs: 120},
    small: {ms: 400, outsideSqlMs: 250, withoutTemporalMs: 300},
    heavy: {ms: 5000, outsideSqlMs: 200},
  },
  peakMemoryMiB: 900,
  seconds: 60,
};
