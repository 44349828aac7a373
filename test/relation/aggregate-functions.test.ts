import {expect, test} from 'vitest';
import {exactness} from '../../src/relation/aggregate-functions.ts';
import type {AggregateCall, Expression} from '../../src/relation/expression.ts';

const column = (type: string, id = 1): Expression => ({kind: 'column', id, type});
const by = (expression: Expression) => ({expression, descending: false, nullsFirst: false});

function kindOf(name: string, type: string, rest: Partial<AggregateCall> = {}): string {
  return exactness({name, arguments: [column(type)], distinct: false, filter: null, orderBy: [], type, ...rest}).kind;
}

test.each([
  ['count', 'DOUBLE'],
  ['sum', 'INTEGER'],
  ['sum', 'DECIMAL(18,2)'],
  ['avg', 'BIGINT'],
  ['min', 'VARCHAR'],
  ['max', 'TIMESTAMP WITH TIME ZONE'],
  ['median', 'INTEGER'],
  ['quantile_disc', 'DATE'],
  ['bool_and', 'BOOLEAN'],
  ['histogram', 'VARCHAR'],
])('%s over %s is exact', (name, type) => expect(kindOf(name, type)).toBe('exact'));

test.each([
  ['sum', 'DOUBLE'],
  ['avg', 'FLOAT'],
  ['stddev', 'DOUBLE'],
  ['corr', 'DOUBLE'],
  // 0.0 and -0.0 are equal: which of them is the least depends on which came first.
  ['min', 'DOUBLE'],
  ['max', 'STRUCT("a" FLOAT)'],
  // 1 month and 30 days are equal too.
  ['max', 'INTERVAL'],
  ['quantile_cont', 'DOUBLE'],
])('%s over %s is inexact', (name, type) => expect(kindOf(name, type)).toBe('inexact'));

test.each([
  'first',
  'any_value',
  'arg_max',
  'list',
  'string_agg',
  'mode',
  'approx_quantile',
  'an_aggregate_of_tomorrow',
])('%s leaves a free choice', (name) => expect(kindOf(name, 'INTEGER')).toBe('free-choice'));

test('an order over the argument itself leaves none', () => {
  const separator: Expression = {kind: 'constant', sql: "','", type: 'VARCHAR'};
  const text = column('VARCHAR');
  expect(kindOf('list', 'INTEGER', {orderBy: [by(column('INTEGER'))]})).toBe('exact');
  expect(kindOf('first', 'INTEGER', {orderBy: [by(column('DATE', 2)), by(column('INTEGER'))]})).toBe('exact');
  expect(kindOf('string_agg', 'VARCHAR', {arguments: [text, separator], orderBy: [by(text)]})).toBe('exact');
  expect(kindOf('list', 'INTEGER', {orderBy: [by(column('DATE', 2))]})).toBe('free-choice');
  // Equal floats may still differ, and so the order between them shows.
  expect(kindOf('list', 'DOUBLE', {orderBy: [by(column('DOUBLE'))]})).toBe('inexact');
  expect(kindOf('arg_max', 'INTEGER', {orderBy: [by(column('INTEGER'))]})).toBe('free-choice');
});

test('over one row nothing depends on an order', () => {
  expect(kindOf('max', 'DOUBLE', {isOverOneRow: true})).toBe('exact');
});
