import {expect, test} from 'vitest';
import {showRows} from '../../src/cli/show/rows.ts';
import {showRefresh} from '../../src/cli/show/refresh.ts';
import {showVerification} from '../../src/cli/show/verification.ts';
import type {RefreshResult} from '../../src/refresh/messages.ts';

test('rows stand in columns, numbers to the right', () => {
  const columns = [
    {name: 'region', type: 'VARCHAR'},
    {name: 'total', type: 'BIGINT'},
  ];
  expect(
    showRows({
      kind: 'rows',
      columns,
      rows: [
        ['eu', '10'],
        [null, '1234567'],
      ],
      hasMore: false,
    }),
  ).toBe(['region    total', 'eu           10', 'NULL    1234567', '(2 rows)'].join('\n'));
});

test('a reader is told when there are more rows', () => {
  const columns = [{name: 'a', type: 'INTEGER'}];
  expect(showRows({kind: 'rows', columns, rows: [['1']], hasMore: true})).toContain(
    '(the first 1 row; --json prints all)',
  );
});

test('a refresh says what it did, why, and how long each phase took', () => {
  const result: RefreshResult = {
    table: 'main.totals',
    outcome: 'refreshed',
    dataVersion: 7,
    publication: null,
    refresh: {
      action: 'INCREMENTAL',
      reason: null,
      sources: [{source: 'main.orders', from: 5, to: 7, changedRows: 2}],
      changedRows: 2,
      affectedKeys: 1,
      ratio: 0.01,
      rowsDeleted: 1,
      rowsInserted: 1,
      recomputed: 'keys',
      rowsScanned: 3,
      rows: 10_000,
      phases: {lookUp: 12, extract: 30, check: 1, publish: 60},
    },
  };
  expect(showRefresh(result)).toBe(
    [
      'main.totals: INCREMENTAL, now at snapshot 7',
      '  changed rows   2 (main.orders 2)',
      '  affected keys  1',
      '  written        1 deleted, 1 inserted; 10,000 rows now',
      '  read           3 rows of the lake',
      '  time           103 ms (look up 12 ms, extract 30 ms, check 1 ms, publish 60 ms)',
    ].join('\n'),
  );
});

test('a table that differs from its query shows the first differing rows', () => {
  const text = showVerification({
    table: 'main.totals',
    verdict: 'different',
    dataVersion: 7,
    snapshot: 8,
    rows: 2,
    missing: 1,
    unexpected: 1,
    note: null,
    verificationId: 1,
    milliseconds: 20,
    columns: ['region', 'total'],
    differences: [
      {side: 'missing', count: 1, values: ['eu', '11']},
      {side: 'unexpected', count: 1, values: ['eu', null]},
    ],
  });
  expect(text).toBe(
    [
      'main.totals: different from its query at snapshot 7: it lacks 1 row, and has 1 row too many (20 ms)',
      'side        rows  region  total',
      'missing        1  eu      11',
      'unexpected     1  eu      NULL',
    ].join('\n'),
  );
});
