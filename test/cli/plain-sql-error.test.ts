import {DuckDBInstance} from '@duckdb/node-api';
import {expect, test} from 'vitest';
import {plainSqlError} from '../../src/cli/plain-sql-error.ts';

test("an error of plain SQL has our code, DuckDB's words, the place in the statement and the nearest name", async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run('create table orders(id int, region varchar)');
  await connection.run('set errors_as_json = true');
  const mistakes: unknown[] = [];
  for (const statement of [
    'selec 1',
    "select 'é',\n  'é' regoin from orders )",
    "select 'é',\n  regoin from orders",
    'from ordesr',
    'select r.id from orders o',
    'select sume(id) from orders',
    "select 1 + 'x'::blob",
    "select 'a'::int",
    "insert into orders values ('x', 'y')",
    'insert into orders values (1)',
    'create table orders(id int)',
    "copy orders to '/nowhere/x.csv'",
    "copy (from range(100000)) to '/dev/full' (format csv)",
    `select error('{"exception_message": 1}')`,
  ]) {
    const {code, message, position, hint} = await connection.run(statement).then(
      () => Promise.reject(new Error(`${statement} went through`)),
      (error: unknown) => plainSqlError(error instanceof Error ? error.message : '', statement),
    );
    mistakes.push([code, message, position === undefined ? '' : `${position.line}:${position.column}`, hint ?? '']);
  }
  connection.closeSync();
  instance.closeSync();
  expect(mistakes).toEqual([
    ['syntax', 'Syntax error at or near "selec"', '1:1', ''],
    ['syntax', 'Syntax error at or near ")"', '2:26', ''],
    ['unknown_column', 'Referenced column "regoin" not found in FROM clause!', '2:3', 'Did you mean "region"?'],
    ['unknown_source', 'Table with name ordesr does not exist!', '1:6', 'Did you mean "orders"?'],
    ['unknown_source', 'Referenced table "r" not found!', '1:8', 'Candidate tables: "o"'],
    ['invalid_query', 'Scalar Function with name sume does not exist!', '1:8', 'Did you mean "sum"?'],
    ['invalid_query', expect.stringContaining("'+(INTEGER_LITERAL, BLOB)'"), '1:10', ''],
    ['data_error', "Could not convert string 'a' to INT32", '1:11', ''],
    ['data_error', "Could not convert string 'x' to INT32", '1:28', ''],
    ['invalid_query', 'table orders has 2 columns but 1 values were supplied', '', ''],
    ['already_exists', 'Table with name "orders" already exists!', '', ''],
    ['invalid_query', 'Cannot open file "/nowhere/x.csv": No such file or directory', '', ''],
    ['unavailable', expect.stringContaining('No space left on device'), '', ''],
    ['data_error', '{"exception_message": 1}', '', ''],
  ]);
});

test('an internal error of DuckDB is told without its stack, and a text that it did not write stays as it is', () => {
  expect(plainSqlError('INTERNAL Error: It broke\n\nStack Trace:\n\n/lib/x.so(+0xd)', '')).toMatchObject({
    code: 'internal',
    message: 'It broke',
  });
  expect(plainSqlError('Unable to connect to Postgres at "…"', '')).toMatchObject({code: 'unavailable'});
  expect(plainSqlError('{no JSON}', '')).toMatchObject({code: 'invalid_query', message: '{no JSON}'});
});
