import {describe, expect, test} from 'vitest';
import type {Expression} from '../../src/relation/expression.ts';
import type {Relation} from '../../src/relation/relation.ts';
import {aggregate, col, compare, constant, filter, join, project, scan, unionAll} from './algebra.ts';
import {evaluate} from './evaluate.ts';

/**
 * Changes merged into what is kept of groups. `evaluate` compares the target with the query, and the hidden table with what it
 * would be filled with.
 */

const sales = () =>
  scan('sales', {k: 'VARCHAR', n: 'INTEGER', d: 'DECIMAL(9,2)', b: 'BOOLEAN', t: 'VARCHAR', f: 'DOUBLE'});
const rowsOf = (...rows: readonly string[]): string =>
  `SELECT k::VARCHAR AS k, n::INTEGER AS n, d::DECIMAL(9,2) AS d, b::BOOLEAN AS b, t::VARCHAR AS t, f::DOUBLE AS f
   FROM (VALUES ${rows.join(', ')}) AS v(k, n, d, b, t, f)`;
const salesSql = rowsOf(
  `('a', 5, 1.50, true, 'x', 1.5)`,
  `('a', NULL, NULL, NULL, NULL, NULL)`,
  `('b', -3, 2.25, false, 'y', 0.1)`,
  `('b', 7, -2.25, true, 'z', 0.2)`,
  `('c', NULL, NULL, NULL, NULL, NULL)`,
  `(NULL, 1, 0.01, true, 'n', 0)`,
  `('gone', 9, 9.99, true, 'g', 9)`,
  `('twice', 4, 4.00, false, 't', 4)`,
  `('twice', 4, 4.00, false, 't', 4)`,
);
const tables = {sales: salesSql};

const histories: Readonly<Record<string, readonly string[]>> = {
  'rows come': [
    `INSERT INTO new.sales VALUES ('a', 6, 0.10, false, 'w', 1), ('new', 1, 1, true, 'q', 2), (NULL, NULL, 1, NULL, 'm', 3)`,
  ],
  'the last value of a group goes': [`DELETE FROM new.sales WHERE n = 5`],
  'groups go': [`DELETE FROM new.sales WHERE k IN ('gone', 'c')`, `DELETE FROM new.sales WHERE k IS NULL`],
  'one of two equal rows goes': [
    `DELETE FROM new.sales WHERE rowid = (SELECT max(rowid) FROM new.sales WHERE k = 'twice')`,
  ],
  'a group gets its first value': [`UPDATE new.sales SET n = -8, d = -0.05, b = false, t = 'a' WHERE k = 'c'`],
  'a row moves between groups': [
    `UPDATE new.sales SET k = 'a' WHERE n = 7`,
    `UPDATE new.sales SET k = NULL WHERE n = -3`,
  ],
  'sums turn negative': [`INSERT INTO new.sales VALUES ('a', -2147483648, -9999999.99, NULL, NULL, 0)`],
  'the extremes go': [`DELETE FROM new.sales WHERE n IN (-3, 7)`],
  'an extreme goes and a better one comes': [
    `DELETE FROM new.sales WHERE n IN (-3, 7)`,
    `INSERT INTO new.sales VALUES ('b', -30, 1, true, '0', 1), ('b', 70, 1, true, 'zz', 1)`,
  ],
  'an extreme goes and a worse one comes': [`UPDATE new.sales SET n = 0, t = 'yy' WHERE k = 'b'`],
  'everything goes': [`DELETE FROM new.sales`],
  'everything goes and some comes back': [
    `DELETE FROM new.sales`,
    `INSERT INTO new.sales VALUES ('a', 1, 1, true, 'x', 1)`,
  ],
  'all is the same but what nobody reads': [`UPDATE new.sales SET f = f + 1`],
};

type Calls = Parameters<typeof aggregate>[2];
const all = (base: Relation): Calls => ({
  rows: {name: 'count_star', type: 'BIGINT'},
  values: {name: 'count', of: col(base, 'n'), type: 'BIGINT'},
  total: {name: 'sum', of: col(base, 'n'), type: 'HUGEINT'},
  money: {name: 'sum', of: col(base, 'd'), type: 'DECIMAL(38,2)'},
  mean: {name: 'avg', of: col(base, 'n'), type: 'DOUBLE'},
  price: {name: 'avg', of: col(base, 'd'), type: 'DOUBLE'},
  yes: {name: 'count_if', of: col(base, 'b'), type: 'HUGEINT'},
  every: {name: 'bool_and', of: col(base, 'b'), type: 'BOOLEAN'},
  some: {name: 'bool_or', of: col(base, 'b'), type: 'BOOLEAN'},
  least: {name: 'min', of: col(base, 'n'), type: 'INTEGER'},
  most: {name: 'max', of: col(base, 't'), type: 'VARCHAR'},
  big: {
    name: 'sum',
    of: col(base, 'n'),
    where: compare(col(base, 'n'), '>', constant('4', 'INTEGER')),
    type: 'HUGEINT',
  },
  lowBig: {
    name: 'min',
    of: col(base, 'n'),
    where: compare(col(base, 'n'), '>', constant('4', 'INTEGER')),
    type: 'INTEGER',
  },
});

const queries: Readonly<Record<string, () => Relation>> = {
  'all calls by group': () => {
    const base = sales();
    return aggregate(base, ['k'], all(base));
  },
  'all calls without groups': () => {
    const base = sales();
    return aggregate(base, null, all(base));
  },
  'counts and sums that the target shows': () => {
    const base = sales();
    const {rows, values, total} = all(base);
    return aggregate(base, ['k'], {rows: rows!, values: values!, total: total!});
  },
  'the greatest of all': () => {
    const base = sales();
    return aggregate(base, null, {most: all(base)['most']!});
  },
  'expressions over sums, behind HAVING': () => {
    const base = sales();
    const grouped = aggregate(base, ['k'], all(base));
    const passed = filter(grouped, compare(col(grouped, 'total'), '>', constant('0', 'HUGEINT')));
    const double: Expression = {
      ...{kind: 'call', name: '*', arguments: [col(grouped, 'total'), constant('2', 'HUGEINT')], type: 'HUGEINT'},
    };
    return project(passed, {double, k: col(grouped, 'k')});
  },
  DISTINCT: () => {
    const base = sales();
    return aggregate(base, ['k', 'b'], {});
  },
  UNION: () => {
    const [a, b] = [sales(), sales()];
    const both = unionAll(project(a, {x: col(a, 'k')}), project(b, {x: col(b, 't')}));
    return aggregate(both, ['x'], {});
  },
  'a join with itself below': () => {
    const [a, b] = [sales(), sales()];
    const both = join(a, b, compare(col(a, 'k'), '=', col(b, 'k')));
    return aggregate(both, ['k'], all(b));
  },
  'an aggregate of an aggregate': () => {
    const base = sales();
    const grouped = aggregate(base, ['k'], {rows: {name: 'count_star', type: 'BIGINT'}, total: all(base)['total']!});
    return aggregate(grouped, ['rows'], {
      groups: {name: 'count_star', type: 'BIGINT'},
      sums: {name: 'sum', of: col(grouped, 'total'), type: 'HUGEINT'},
      most: {name: 'max', of: col(grouped, 'k'), type: 'VARCHAR'},
    });
  },
};

describe.each(Object.entries(queries))('%s', (_, query) => {
  test.each(Object.entries(histories))('when %s', async (__, changes) => {
    const {differences, program} = await evaluate(query(), tables, changes);
    expect(differences).toEqual([]);
    expect(program.root.kind).toBe('merge');
  });
});

test('counts and sums that the target shows are kept nowhere else', async () => {
  const base = sales();
  const {rows, values, total} = all(base);
  const stored = async (query: Relation) => {
    const {program} = await evaluate(query, tables, histories['rows come']!);
    return program.root.kind === 'merge' ? program.root.stored : undefined;
  };
  const shown = aggregate(base, ['k'], {values: values!, total: total!, rows: rows!});
  expect(await stored(shown)).toEqual([3, 1, 2]);
  expect(await stored(project(shown, {a: col(shown, 'rows'), k: col(shown, 'k')}))).toEqual([0]);
  // {5, NULL} − 5 is NULL, not 0: without a count of values it can't be told.
  expect(await stored(aggregate(base, ['k'], {rows: rows!, total: total!}))).toBeNull();
  expect(await stored(filter(shown, compare(col(shown, 'rows'), '>', constant('1', 'BIGINT'))))).toBeNull();
});

test('only groups that lost their extreme are read anew', async () => {
  const base = sales();
  const query = () => aggregate(base, ['k'], {least: all(base)['least']!, rows: all(base)['rows']!});
  const lost = async (history: string) => (await evaluate(query(), tables, histories[history]!)).lost;
  expect(await lost('rows come')).toBe(0);
  expect(await lost('groups go')).toBe(0);
  expect(await lost('the extremes go')).toBe(0);
  expect(await lost('an extreme goes and a better one comes')).toBe(0);
  expect(await lost('an extreme goes and a worse one comes')).toBe(1);
});

test.each([
  ['a sum of floats', {x: {name: 'sum', of: 'f', type: 'DOUBLE'}}, ['k']],
  ['an average of floats', {x: {name: 'avg', of: 'f', type: 'DOUBLE'}}, ['k']],
  ['a minimum of floats', {x: {name: 'min', of: 'f', type: 'DOUBLE'}}, ['k']],
  ['a count of different values', {x: {name: 'count', of: 'n', type: 'BIGINT', distinct: true}}, ['k']],
  ['a median', {x: {name: 'median', of: 'n', type: 'DOUBLE'}}, ['k']],
  ['a key that is a float', {x: {name: 'count_star', type: 'BIGINT'}}, ['f']],
] as const)('%s is not merged', async (_, calls, keys) => {
  const base = sales();
  const made = Object.fromEntries(
    Object.entries(calls).map(([name, call]) => {
      const {of, ...rest} = {of: undefined, ...call};
      return [name, of === undefined ? rest : {...rest, of: col(base, of)}];
    }),
  );
  const {differences, program} = await evaluate(aggregate(base, keys, made), tables, histories['rows come']!);
  expect(differences).toEqual([]);
  expect(program.root.kind).toBe('keys');
});
