import {DuckDBInstance} from '@duckdb/node-api';
import {expect, test} from 'vitest';
import {average, isAverageUnsure, oneOfSameMean} from '../../src/relation/average.ts';
import type {Expression} from '../../src/relation/expression.ts';
import {printExpression} from '../../src/relation/print-expression.ts';
import {raw} from '../../src/sql.ts';

/** Groups of one to thousands of rows, of numbers near zero and far from it, which DuckDB has averaged itself. */
const numbers: readonly (readonly [type: string, scale: number, value: string])[] = [
  ['SMALLINT', 0, '(hash(i * 3) % 60000)::INTEGER - 30000'],
  ['INTEGER', 0, '(hash(i * 3) % 4000000000)::BIGINT - 2000000000'],
  ['BIGINT', 0, '(hash(i * 3) % 4000000000000)::BIGINT - 2000000000000'],
  ['BIGINT', 0, '(hash(i * 3) // 4)::BIGINT - 2305843009213693952'],
  ['HUGEINT', 0, '(hash(i * 3) // 4)::HUGEINT * 3'],
  ['DECIMAL(4,2)', 2, '(hash(i) % 9999)::INTEGER / 100'],
  ['DECIMAL(9,2)', 2, '(hash(i) % 999999999)::BIGINT / 100.0 - 5000000'],
  ['DECIMAL(15,2)', 2, '(hash(i) % 99999999999)::BIGINT / 100.0'],
  ['DECIMAL(18,9)', 9, '(hash(i) % 999999)::BIGINT / 1000000'],
  ['DECIMAL(31,4)', 4, '(hash(i) % 99999999999)::BIGINT / 100.0 - 100'],
];

const sum = (scale: number): Expression => ({kind: 'column', id: 1, type: `DECIMAL(38,${scale})`});
const count: Expression = {kind: 'column', id: 2, type: 'BIGINT'};
const text = (expression: Expression): string => printExpression(expression, (id) => raw(id === 1 ? 's' : 'n')).text;

test.each(numbers)(
  'the average of %s from sum and count is what avg answers, bit for bit',
  {timeout: 60_000},
  async (type, scale, value) => {
    const instance = await DuckDBInstance.create(':memory:', {threads: '1'});
    const connection = await instance.connect();
    await connection.run(`CREATE TABLE groups AS SELECT k, avg(x) AS a, CAST(sum(x) AS DECIMAL(38,${scale})) AS s, count(x) AS n
    FROM (SELECT CASE WHEN i % 2 = 0 THEN hash(i) % 50000 ELSE hash(i + 7) % 50 END AS k, CAST(${value} AS ${type}) AS x FROM range(400000) AS r(i))
    GROUP BY k`);
    const [found] = (
      await connection.runAndReadAll(`SELECT count(*) AS groups, count(*) FILTER (WHERE is_unsure) AS unsure,
      count(*) FILTER (WHERE NOT is_unsure AND a::VARCHAR IS DISTINCT FROM mean::VARCHAR) AS wrong
      FROM (SELECT *, ${text(average(sum(scale), count, scale))} AS mean, ${text(isAverageUnsure(sum(scale), count, scale, average(sum(scale), count, scale)))} AS is_unsure FROM groups)`)
    ).getRowObjectsJson();
    connection.closeSync();
    instance.closeSync();
    expect(Number(found?.['wrong'])).toBe(0);
    expect(Number(found?.['groups'])).toBeGreaterThan(20_000);
    // Sums beyond 2^53 are all unsure; of others few are, or nothing would be gained.
    const isBeyond = /\/\/ 4/.test(value);
    if (!isBeyond) expect(Number(found?.['unsure'])).toBeLessThan(200);
  },
);

test('quotients that lie next to the middle of two floats are unsure', async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  // Of so many some lie nearer to a middle than 64 bits can tell.
  const unsure = text(isAverageUnsure(sum(0), count, 0, average(sum(0), count, 0)));
  const [found] = (
    await connection.runAndReadAll(`SELECT count(*) FILTER (WHERE ${unsure}) AS unsure
      FROM (SELECT (hash(i) % 9007199254740991)::DECIMAL(38,0) AS s, (1 + hash(i + 1) % 99999999999)::BIGINT AS n FROM range(100000) AS r(i))`)
  ).getRowObjectsJson();
  const [plain] = (
    await connection.runAndReadAll(
      `SELECT bool_or(${unsure}) AS unsure FROM (SELECT i::DECIMAL(38,0) AS s, 1 + abs(i) % 7 AS n FROM range(-1000, 1000) AS r(i))`,
    )
  ).getRowObjectsJson();
  connection.closeSync();
  instance.closeSync();
  expect(Number(found?.['unsure'])).toBeGreaterThan(50);
  expect(Number(found?.['unsure'])).toBeLessThan(500);
  expect(plain).toEqual({unsure: false});
});

test.each([
  ['INTEGER', 'DECIMAL(38,0)', '-2147483648', 7],
  ['BIGINT', 'DECIMAL(38,0)', "'-27670116110564327421'", 3],
  ['SMALLINT', 'DECIMAL(38,0)', '-100', 3],
  ['HUGEINT', 'DECIMAL(38,0)', '90000000000000000000000000000000000001', 2],
  ['DECIMAL(4,2)', 'DECIMAL(38,2)', '-0.05', 3],
  ['DECIMAL(18,9)', 'DECIMAL(38,9)', '0.000000005', 4],
  ['DECIMAL(31,4)', 'DECIMAL(38,4)', '99999999999999999999999999.0003', 5],
])('numbers of %s are made with a sum and count given', async (type, sumType, given, n) => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const made = oneOfSameMean(raw('s'), raw('n'), type, raw('i')).text;
  const [found] = (
    await connection.runAndReadAll(`SELECT s, (SELECT sum(${made}) FROM range(n) AS r(i)) AS total,
      (SELECT count(${made}) FROM range(n) AS r(i)) AS n FROM (SELECT CAST(${given} AS ${sumType}) AS s, ${n} AS n) AS t`)
  ).getRowObjectsJson();
  connection.closeSync();
  instance.closeSync();
  expect(found?.['total']).toBe(found?.['s']);
  expect(Number(found?.['n'])).toBe(n);
});
