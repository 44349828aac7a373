import {expect, test} from 'vitest';
import {describe as tree} from '../../src/relation/describe.ts';
import type {Relation, Staged} from '../../src/relation/relation.ts';
import {columnsOfRelation} from '../../src/relation/relation.ts';
import {restrict} from '../../src/relation/rewrite/restrict.ts';
import {aggregate, col, compare, constant, filter, join, project, scan, unionAll} from '../delta/algebra.ts';

const keys: Staged = {
  kind: 'staged',
  name: 'keys_1',
  columns: [
    {id: 9001, name: 'k1', type: 'VARCHAR'},
    {id: 9002, name: 'k2', type: 'INTEGER'},
  ],
};
const [k1, k2] = keys.columns as [Staged['columns'][number], Staged['columns'][number]];
const orders = () => scan('orders', {id: 'INTEGER', region: 'VARCHAR', amount: 'INTEGER'});
const regions = () => scan('regions', {region: 'VARCHAR', label: 'VARCHAR'});

/** The tree without ids, which differ from run to run. */
function shape(relation: Relation): string[] {
  return tree(relation).replace(/_\d+/g, '').replaceAll('"', '').split('\n');
}

test('filters and projections let it through', () => {
  const base = orders();
  const kept = filter(base, compare(col(base, 'amount'), '>', constant('1', 'INTEGER')));
  const query = project(kept, {place: col(base, 'region')});
  expect(shape(restrict(query, keys, [{expression: col(query, 'place'), key: k1}]))).toEqual([
    'project place = region',
    '  filter (amount > 1)',
    '    restrict to keys by region',
    '      scan main.orders: id, region, amount',
  ]);
});

test('an equality of a join carries it to the other side', () => {
  const [a, b] = [orders(), regions()];
  const query = join(a, b, compare(col(a, 'region'), '=', col(b, 'region')));
  expect(shape(restrict(query, keys, [{expression: col(a, 'region'), key: k1}]))).toEqual([
    'join on (region = region)',
    '  restrict to keys by region',
    '    scan main.orders: id, region, amount',
    '  restrict to keys by region',
    '    scan main.regions: region, label',
  ]);
});

test('keys of two sides restrict each side, and the pairs above', () => {
  const [a, b] = [orders(), regions()];
  const query = join(a, b, compare(col(a, 'region'), '=', col(b, 'region')));
  const on = [
    {expression: col(b, 'label'), key: k1},
    {expression: col(a, 'id'), key: k2},
  ];
  expect(shape(restrict(query, keys, on)).map((line) => line.trim())).toEqual([
    'restrict to keys by label, id',
    'join on (region = region)',
    'restrict to keys by id',
    'scan main.orders: id, region, amount',
    'restrict to keys by label',
    'scan main.regions: region, label',
  ]);
});

test('it goes through an aggregate by its keys and stops at what it computes', () => {
  const base = orders();
  const grouped = aggregate(base, ['region'], {n: {name: 'count_star', type: 'BIGINT'}});
  expect(shape(restrict(grouped, keys, [{expression: col(grouped, 'region'), key: k1}]))).toEqual([
    'aggregate by region = region: n = count(*)',
    '  restrict to keys by region',
    '    scan main.orders: id, region, amount',
  ]);
  expect(shape(restrict(grouped, keys, [{expression: col(grouped, 'n'), key: k2}]))[0]).toBe('restrict to keys by n');
});

test('UNION ALL hands it to every branch', () => {
  const query = unionAll(project(orders(), {}), orders());
  expect(columnsOfRelation(query)).toEqual([]);
  const both = unionAll(regions(), regions());
  const lines = shape(restrict(both, keys, [{expression: col(both, 'label'), key: k1}]));
  expect(lines.filter((line) => line.includes('restrict to keys by label'))).toHaveLength(2);
});

test('below a join a computed key can not fail', () => {
  const [a, b] = [orders(), regions()];
  const joined = join(a, b);
  const cast = {kind: 'cast', input: col(a, 'region'), tries: false, type: 'INTEGER'} as const;
  const lines = shape(restrict(joined, keys, [{expression: cast, key: k2}]));
  expect(lines).toContain('  restrict to keys by TRY(CAST(region AS INTEGER))');
});

test('a key that can not fail stays above what calls error(), which DuckDB lets no TRY catch', () => {
  const base = regions();
  const error = {kind: 'call', name: 'error', arguments: [constant("'two rows'", 'VARCHAR')], type: 'VARCHAR'} as const;
  const raising = project(base, {first: error, label: col(base, 'label')});
  const joined = join(orders(), raising);
  const cast = {kind: 'cast', input: col(raising, 'first'), tries: false, type: 'INTEGER'} as const;
  const lines = shape(restrict(joined, keys, [{expression: cast, key: k2}])).map((line) => line.trim());
  expect(lines).toContain('restrict to keys by TRY(CAST(first AS INTEGER))');
  expect(lines.indexOf('restrict to keys by TRY(CAST(first AS INTEGER))')).toBeLessThan(
    lines.findIndex((line) => line.startsWith('project first = error')),
  );
});
