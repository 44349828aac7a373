import {expect, test} from 'vitest';
import {choose} from '../../src/refresh/choose.ts';
import type {Extraction, StagedKeys, StagedSource} from '../../src/refresh/messages.ts';

const source = (counts: Partial<StagedSource>): StagedSource => ({
  source: 'main.orders',
  file: 'a.parquet',
  inserted: 0,
  deleted: 0,
  rowsTo: 1000,
  ...counts,
});
const keys = (counts: Partial<StagedKeys>): StagedKeys => ({
  name: 'keys_1',
  file: 'k.parquet',
  count: 1,
  rowsBelow: 0,
  ...counts,
});
const staged = (sources: StagedSource[], affected: StagedKeys[] = [], threshold = 0.3): Extraction => ({
  kind: 'staged',
  sources,
  keys: affected,
  threshold,
  statements: [],
});

test('a small change is taken in incrementally', () => {
  expect(choose({forced: null}, staged([source({inserted: 5, deleted: 5})]))).toEqual({
    action: 'INCREMENTAL',
    reason: null,
    ratio: 0.01,
    changedRows: 10,
    affectedKeys: 0,
  });
});

test('rows below the affected keys count as read', () => {
  const decision = choose({forced: null}, staged([source({inserted: 1})], [keys({count: 7, rowsBelow: 900})]));
  expect(decision.action).toBe('FULL');
  expect(decision.reason).toEqual({kind: 'cheaper', ratio: 0.901, threshold: 0.3});
  expect(decision.affectedKeys).toBe(7);
});

test('a share just at the threshold stays incremental', () => {
  expect(choose({forced: null}, staged([source({inserted: 300})])).action).toBe('INCREMENTAL');
});

test('the share is of all sources, changed or not', () => {
  const sources = [source({inserted: 400}), source({source: 'main.big', file: null, rowsTo: 100_000})];
  expect(choose({forced: null}, staged(sources)).action).toBe('INCREMENTAL');
});

test('empty sources divide nothing', () => {
  const decision = choose({forced: null}, staged([source({deleted: 1000, rowsTo: 0})]));
  expect(decision).toMatchObject({action: 'INCREMENTAL', ratio: null});
});

test('a change that nets to nothing is NO_DATA', () => {
  expect(choose({forced: null}, staged([source({file: null})])).action).toBe('NO_DATA');
});

test('what was forced at look-up stays so, whatever was counted', () => {
  const forced = {action: 'REINITIALIZE', reason: {kind: 'source-replaced', source: 'main.orders'}} as const;
  expect(choose({forced}, staged([source({inserted: 1})]))).toMatchObject(forced);
});

test('a change that can not be trusted is FULL and says why', () => {
  const reason = {kind: 'count-mismatch', source: 'main.orders', expected: 10, found: 9} as const;
  expect(choose({forced: null}, {kind: 'untrusted', reason, statements: []})).toMatchObject({action: 'FULL', reason});
});
