import {expect, test} from 'vitest';
import {columnsText, showAlter, showCreate, showResume, showSuspend} from '../../src/cli/show/definition.ts';
import {showRows} from '../../src/cli/show/rows.ts';
import {showHistory} from '../../src/cli/show/history.ts';
import {showRefresh} from '../../src/cli/show/refresh.ts';
import {showVerification} from '../../src/cli/show/verification.ts';
import {showTable, showTables} from '../../src/cli/show/tables.ts';
import type {DynamicTableDetails} from '../../src/client.ts';
import type {StoredSuspension} from '../../src/metadata/dynamic-table.ts';
import {unknownRefresh, type HistoryEntry} from '../../src/metadata/refresh.ts';
import type {RefreshResult, RefreshSummary} from '../../src/refresh/messages.ts';

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

const summary: RefreshSummary = {
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
};

function aResult(outcome: RefreshResult['outcome'], refresh: RefreshSummary | null): RefreshResult {
  return {table: 'main.totals', outcome, dataVersion: 7, publication: null, refresh};
}

test('a refresh says what it did, why, and how long each phase took', () => {
  expect(showRefresh(aResult('refreshed', summary))).toBe(
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

test.each(['INITIAL', 'REINITIALIZE'] as const)('%s followed no change, and tells of none', (action) => {
  const text = showRefresh(aResult('refreshed', {...summary, action, changedRows: 0, affectedKeys: 0}));
  expect(text).not.toMatch(/changed rows|affected keys/);
});

test('NO_DATA says whether nothing has changed, or nothing that shows', () => {
  const noData = {...summary, action: 'NO_DATA'} as const;
  expect(showRefresh(aResult('no-data', null))).toContain('nothing it reads has changed up to snapshot 7');
  expect(showRefresh(aResult('no-data', {...noData, changedRows: 0}))).toContain('nothing it reads has changed');
  expect(showRefresh(aResult('no-data', noData))).toContain(
    'what has changed in its sources up to snapshot 7 changes nothing in it',
  );
});

test('in the history a first refresh has no changes, and one that failed says so with its code', () => {
  const entry: HistoryEntry = {
    ...{...unknownRefresh, id: 1, table: 'main.totals', trigger: 'manual', workflowId: 'w', runId: 'r', ticks: 1},
    ...{hasSuspended: false, startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:00Z'},
  };
  const text = showHistory(
    [
      {...entry, action: 'INITIAL', dataVersion: 7, changedRows: 11, affectedKeys: 12, rows: 13, phases: {publish: 14}},
      {...entry, errorCode: 'data_error', error: 'Division by zero.'},
      {...entry, errorCode: 'data_error', error: 'Division by zero.', hasSuspended: true},
    ],
    Date.parse(entry.finishedAt),
  );
  expect(text).toMatch(/INITIAL +7 +13 +14 ms$/m);
  expect(text).toMatch(/failed \(data_error\) .*Division by zero\./);
  expect(text).toMatch(/failed \(data_error\), suspended .*Division by zero\./);
  expect(text).not.toContain('0 ms');
});

const suspension: StoredSuspension = {
  ...{kind: 'failures', code: 'data_error', error: 'Division\nby zero.', since: '2026-01-01T00:00:00Z', runId: 'r'},
};

const details: DynamicTableDetails = {
  ...{table: 'main.totals', state: 'active', targetLag: '5 minutes', refreshMode: 'AUTO', mode: 'incremental'},
  ...{reasons: [], sources: [], dataVersion: 7, freshAt: null, lagSeconds: 30, rows: 13, failuresInARow: 0},
  ...{suspension: null, lastRefresh: null, createdAt: '2026-01-01T00:00:00Z', query: 'select 1', comment: null},
  ...{
    initialize: 'ON_CREATE',
    cardinalityThreshold: 0.3,
    priority: 3,
    columns: [],
    upstreams: [],
    suspendedUpstreams: [],
  },
  ...{readers: [], keptGroups: null, schedule: null},
};

test('a suspended table says since when and why, and so does one that reads it', () => {
  const suspended = {...details, state: 'auto_suspended', suspension, failuresInARow: 5} as const;
  expect(showTable(suspended, [], 0)).toMatch(
    /^state +auto_suspended, until freshet resume main\.totals\nsuspended +2026-01-01T00:00:00Z, data_error: Division by zero\.\nfailures +5 scheduled ones in a row$/m,
  );
  expect(showTables([suspended])).toContain('main.totals (auto_suspended)');
  const byHand = {kind: 'user', since: '2026-01-01T00:00:00Z', runId: 'r'} as const;
  expect(showTable({...details, state: 'suspended', suspension: byHand}, [], 0)).toMatch(
    /^state +suspended, until freshet resume main\.totals\nsuspended +2026-01-01T00:00:00Z, by hand$/m,
  );
  const below = {kind: 'upstream', table: 'main.base'} as const;
  expect(showTable({...details, state: 'suspended', suspension: below}, [], 0)).toMatch(
    /^state +suspended, until freshet resume main\.base\nsuspended +with main\.base, which it reads$/m,
  );
  const paused = {kind: 'schedule', note: 'backfilling\nsource'} as const;
  expect(showTable({...details, state: 'paused', suspension: paused}, [], 0)).toMatch(
    /^state +paused, until freshet resume main\.totals\nsuspended +in Temporal: backfilling source$/m,
  );
  const reader = {...details, suspendedUpstreams: [{table: 'main.base', suspension}]};
  expect(showTable(reader, [], 0)).toMatch(
    /^upstream suspended +main\.base: 2026-01-01T00:00:00Z, data_error: Division by zero\.$/m,
  );
  expect(showTable(details, [], 0)).not.toMatch(/suspended|failures/);
  expect(showTable(details, [], 0)).toMatch(/^schedule +missing in Temporal, until freshet resume main\.totals$/m);
});

test('a table that keeps groups says where, and how much that is', () => {
  const keptGroups = {table: 'freshet_state."main.totals-groups"', rows: 12345, bytes: 1_234_567};
  expect(showTable({...details, keptGroups}, [], 0)).toMatch(
    /^kept groups +freshet_state\."main\.totals-groups": 12,345 rows, 1\.2 MB$/m,
  );
  expect(showTable({...details, keptGroups: {...keptGroups, rows: 1, bytes: 999}}, [], 0)).toContain(
    ': 1 row, 999 bytes',
  );
  expect(showTable(details, [], 0)).not.toContain('kept groups');
});

test('the list shows priorities where one is not the usual', () => {
  expect(showTables([details])).not.toContain('priority');
  expect(showTables([details, {...details, table: 'main.first', priority: 1}])).toMatch(
    /^table .*  priority  rows .*\nmain\.totals .*  3  .*\nmain\.first .*  1  /m,
  );
});

test('resume says what it has started again', () => {
  const resumed = {table: 'main.totals', outcome: 'resumed', readers: [], suspendedUpstream: null} as const;
  expect(showResume(resumed)).toBe('Resumed main.totals: refreshed by schedule again.');
  expect(showResume({...resumed, readers: ['main.a', 'main.b']})).toBe(
    'Resumed main.totals, with main.a, main.b: refreshed by schedule again.',
  );
  expect(showResume({...resumed, outcome: 'upstream_suspended', suspendedUpstream: 'main.a'})).toBe(
    'main.totals goes on when main.a does, which it reads: freshet resume main.a.',
  );
  expect(showResume({...resumed, outcome: 'active'})).toBe('main.totals was not suspended; nothing was changed.');
});

test('alter says how the table is refreshed from now on', () => {
  const altered = {table: 'main.totals', outcome: 'altered', mode: 'full', reasons: ['REFRESH_MODE = FULL']} as const;
  expect(showAlter(altered)).toBe('Altered main.totals: its refreshes are full: REFRESH_MODE = FULL.');
  expect(showAlter({...altered, outcome: 'unchanged'})).toBe('main.totals was so already; nothing was changed.');
});

test('suspend says what stands still, and how it goes on', () => {
  const suspended = {table: 'main.totals', outcome: 'suspended', readers: ['main.a']} as const;
  expect(showSuspend(suspended)).toBe(
    'Suspended main.totals, with main.a: no scheduled refresh until freshet resume main.totals.',
  );
  expect(showSuspend({...suspended, outcome: 'unchanged'})).toBe(
    'main.totals was suspended before; nothing was changed.',
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

test('a column that is stored as another type says so, when the table is made and whenever it is shown', () => {
  const columns = [
    {name: 'region', type: 'VARCHAR'},
    {name: 'total', type: 'DECIMAL(38,0)', queryType: 'HUGEINT'},
  ];
  const result = {
    table: 'main.d',
    sources: ['main.orders'],
    mode: 'incremental',
    reasons: [],
    columns,
    refresh: null,
  } as const;
  expect(showCreate({...result, outcome: 'created'})).toContain(
    'Stored exactly, as a type that the lake keeps: total as DECIMAL(38,0) for HUGEINT',
  );
  expect(showCreate({...result, outcome: 'dry-run'})).toContain("total DECIMAL(38,0), for the query's HUGEINT");
  expect(columnsText(columns)).toBe("region VARCHAR\ntotal DECIMAL(38,0), for the query's HUGEINT");
});
