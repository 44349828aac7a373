import {noopMetricMeter, type MetricMeter} from '@temporalio/common';
import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {defaultSettings} from '../src/definition/definition.ts';
import {startGauges} from '../src/gauges.ts';
import type {Metadata} from '../src/metadata/database.ts';
import type {TableRow} from '../src/metadata/dynamic-table.ts';

beforeEach(() => void vi.useFakeTimers({now: Date.parse('2026-01-01T00:00:10Z')}));
afterEach(() => void vi.useRealTimers());

const table: TableRow = {
  ...{name: 'main.totals', incarnation: 'i', createdBy: '', state: 'active', columns: [], sources: [], reasons: []},
  definition: {
    ...{
      table: {schema: 'main', name: 'totals'},
      query: 'select 1',
      settings: defaultSettings,
      reached: [],
      distrust: null,
    },
    options: {
      targetLag: {kind: 'seconds', seconds: 60},
      ...{refreshMode: 'AUTO', initialize: 'ON_CREATE', cardinalityThreshold: 0.3, comment: null},
    },
  },
  ...{mode: 'incremental', dataVersion: 7, freshAt: '2026-01-01T00:00:00Z', rows: 1, failuresInARow: 2},
  ...{suspension: null, lagMissedAt: null, lagCountedFrom: null, keptGroups: null, createdAt: '2026-01-01T00:00:00Z'},
};

/** What is shown now, by metric and table. */
function someGauges(answer: () => Promise<readonly TableRow[]>) {
  const shown = new Map<string, number>();
  const meter: Pick<MetricMeter, 'createGauge'> = {
    createGauge: (name) => ({
      ...noopMetricMeter.createGauge(name),
      set: (value, labels) => void shown.set(`${name} ${String(labels?.['table'] ?? '')}`.trim(), value),
    }),
  };
  // They are asked for gauges and rows alone.
  const metadata = {query: async () => ({rows: await answer()})} as unknown as Metadata;
  const timer = startGauges(meter as MetricMeter, metadata);
  return {
    shown,
    later: (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

test('a table gets old before the eyes of everybody, also while PostgreSQL is away', async () => {
  let answer = () => Promise.resolve([table]);
  using gauges = someGauges(() => answer());
  await gauges.later(0);
  expect(Object.fromEntries(gauges.shown)).toEqual({
    ...{freshet_tables: 1, 'freshet_lag_seconds main.totals': 10, 'freshet_target_lag_seconds main.totals': 60},
    ...{'freshet_failures_in_a_row main.totals': 2, 'freshet_suspended main.totals': 0},
    'freshet_suspended_by_hand main.totals': 0,
  });
  answer = () => Promise.reject(new Error('away'));
  await gauges.later(30);
  expect(gauges.shown.get('freshet_lag_seconds main.totals')).toBe(40);
});

test('what somebody has suspended by hand does not count as failed, nor what reads it', async () => {
  const suspension = {kind: 'user', since: '2026-01-01T00:00:00Z', runId: 'r'} as const;
  const reader = {...table, name: 'main.reader', sources: ['main.totals']};
  using gauges = someGauges(() => Promise.resolve([{...table, suspension}, reader]));
  await gauges.later(0);
  for (const name of ['main.totals', 'main.reader']) {
    expect(gauges.shown.get(`freshet_suspended_by_hand ${name}`)).toBe(1);
    expect(gauges.shown.get(`freshet_suspended ${name}`)).toBe(0);
  }
});

test('of a table that was dropped nothing is wrong any more', async () => {
  const suspension = {
    kind: 'failures',
    code: 'data_error',
    error: 'no',
    since: '2026-01-01T00:00:00Z',
    runId: 'r',
  } as const;
  let tables: readonly TableRow[] = [{...table, suspension}];
  using gauges = someGauges(() => Promise.resolve(tables));
  await gauges.later(0);
  expect(gauges.shown.get('freshet_suspended main.totals')).toBe(1);
  tables = [];
  await gauges.later(10);
  for (const gauge of ['lag_seconds', 'failures_in_a_row', 'suspended'])
    expect(gauges.shown.get(`freshet_${gauge} main.totals`)).toBe(0);
  expect(gauges.shown.get('freshet_tables')).toBe(0);
});

test('a table whose target lag was taken away is never late', async () => {
  const options = {...table.definition.options, targetLag: {kind: 'downstream'}} as const;
  const downstream = {...table, definition: {...table.definition, options}};
  let tables: readonly TableRow[] = [table];
  using gauges = someGauges(() => Promise.resolve(tables));
  await gauges.later(0);
  tables = [downstream, {...downstream, name: 'main.other'}];
  await gauges.later(10);
  expect(gauges.shown.get('freshet_target_lag_seconds main.totals')).toBe(Infinity);
  expect(gauges.shown.has('freshet_target_lag_seconds main.other')).toBe(false);
});
