import {expect, test} from 'vitest';
import {changedJson, changedLines, showWatch} from '../../src/cli/show/watch.ts';
import type {Progress, TableNow} from '../../src/client.ts';
import {FreshetError} from '../../src/errors.ts';

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

const screen = (tables: readonly TableNow[] | null, rows = 24, why: FreshetError | null = null) =>
  showWatch({tables, at: now, why}, rows);

test('the screen has a line for each table: lag, target, rows, the next run and what runs', () => {
  const [summary, , first, second] = screen([aTable({running: running(41)}), aTable({nextRun: null, lagSeconds: 61})]);
  expect(summary).toMatch(/^2 dynamic tables  1 running  1 late  \d\d:\d\d:\d\d$/);
  expect(first).toMatch(
    /^main\.totals +12 s +1 minute +1,234 +in 20 s +publish: recompute 41 % \(410 of about 1,000 rows\), 30\.0 s$/,
  );
  expect(second).toMatch(/1,234 +none$/);
});

test('on a screen that is too short those that run come first, then the late ones', () => {
  const many = Array.from({length: 9}, (_, i) => aTable({table: `main.t${i}`}));
  const all = screen([...many, aTable({table: 'main.late', lagSeconds: 61}), aTable({running: running(1)})], 6);
  expect(all.map((line) => line.split(/ {2,}/)[0])).toEqual([
    ...['11 dynamic tables', 'table', 'main.totals', 'main.late', 'main.t0', 'and 8 more'],
  ]);
});

test('while a server is away the screen says so, over what was seen last', () => {
  const why = new FreshetError('unavailable', 'PostgreSQL is\naway');
  expect(screen(null)).toEqual(['Asking …']);
  expect(screen(null, 24, why)[0]).toBe('PostgreSQL is away');
  expect(screen([aTable()], 24, why)).toEqual([
    ...[expect.stringContaining('1 dynamic table '), 'PostgreSQL is away', 'It is asked again and again.'],
    ...[expect.stringMatching(/^table/), expect.stringMatching(/^main\.totals/)],
  ]);
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

test('for programs the lines are objects', () => {
  const lines = [...changedJson(null, [aTable({running: running(41)})], now), ...changedJson([aTable()], [], now)];
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    {time: '2026-11-26T09:00:00.000Z', ...aTable({running: running(41)})},
    {time: '2026-11-26T09:00:00.000Z', table: 'main.totals', state: 'dropped'},
  ]);
});
