import {expect, test} from 'vitest';
import {changedLines, showWatch} from '../../src/cli/show/watch.ts';
import type {Progress, TableNow} from '../../src/client.ts';

const now = Date.parse('2026-11-26T09:00:00Z');

function aTable(more: Partial<TableNow> = {}): TableNow {
  return {
    ...{
      table: 'main.totals',
      state: 'active',
      targetLag: '1 minute',
      refreshMode: 'AUTO',
      priority: 3,
      mode: 'incremental',
    },
    ...{reasons: [], sources: ['main.orders'], dataVersion: 7, freshAt: null, lagSeconds: 12, rows: 1234},
    ...{failuresInARow: 0, suspension: null, lastRefresh: null, createdAt: '2026-11-25T00:00:00Z'},
    ...{running: null, nextRun: '2026-11-26T09:00:20Z'},
    ...more,
  };
}

function running(percent: number): Progress {
  const statement = {label: 'recompute', seconds: 30, percent, rows: percent * 10, totalRows: 1000};
  return {table: 'main.totals', phase: 'publish', details: [], apply: null, statement, upstream: null};
}

test('the screen has a line for each table: lag, target, rows, the next run and what runs', () => {
  const [, first, second] = showWatch([aTable({running: running(41)}), aTable({nextRun: null})], now).split('\n');
  expect(first).toMatch(
    /^main\.totals +12 s +1 minute +1,234 +in 20 s +publish: recompute 41 % \(410 of about 1,000 rows\), 30\.0 s$/,
  );
  expect(second).toMatch(/1,234 +none$/);
});

test('in a pipe each table has a line at first, then one when something happens to it, and when it is gone', () => {
  const [idle, busy] = [aTable(), aTable({running: running(41)})];
  expect(changedLines(null, [idle], now)).toEqual([
    '2026-11-26T09:00:00.000Z main.totals active, lag 12 s of 1 minute, not refreshed yet, rows 1234, next run 2026-11-26T09:00:20Z',
  ]);
  expect(changedLines([idle], [aTable({lagSeconds: 14})], now)).toEqual([]);
  expect(changedLines([idle], [busy], now)).toEqual([
    expect.stringContaining(', running publish: recompute 41 % (410 of about 1,000 rows), 30.0 s'),
  ]);
  expect(changedLines([busy], [aTable({running: running(45)})], now)).toEqual([]);
  expect(changedLines([busy], [aTable({running: running(52)})], now)).toHaveLength(1);
  expect(changedLines([idle], [], now)).toEqual(['2026-11-26T09:00:00.000Z main.totals dropped']);
});
