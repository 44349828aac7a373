import {expect, test} from 'vitest';
import {parseStatement} from '../../src/definition/parse.ts';
import {FreshetError} from '../../src/errors.ts';

test.each([
  "'9 seconds'",
  "'3651 days'",
  "'99999999999999999999 days'",
  "'-5 minutes'",
  "'0'",
  "'5'",
  '5',
  "''",
  "' '",
  "'5 fortnights'",
  "'1e3 s'",
  "'1 month'",
  "'NaN'",
  "'1.5 s'",
  "'5 minutes ago'",
  'null',
  'downstrem',
  "interval '5 minutes'",
  '5 minutes',
])('a lag of %s is refused, with what is allowed', (lag) => {
  const {code, message, position} = mistake(`target_lag = ${lag} as select 1 as a`);
  expect(code).toBe('invalid_option');
  expect(message).toMatch(/such as '5 minutes' \(in seconds.*\), or DOWNSTREAM|at least 10 seconds|at most 3650 days/);
  expect(position).toEqual({line: 1, column: 37});
});

test.each([
  ["refresh_mod = full target_lag = '1 h'", 'unknown_option', 'Did you mean "REFRESH_MODE"?'],
  ["target_lag = '1 h' warehouse = x", 'unknown_option', 'The options are TARGET_LAG, REFRESH_MODE'],
  ["target_lag = '1 h' refresh_mode = full2", 'invalid_option', 'AUTO, INCREMENTAL or FULL'],
  ["target_lag = '1 h' initialize = never", 'invalid_option', 'ON_CREATE or ON_SCHEDULE'],
  ["target_lag = '1 h' cardinality_threshold = ''", 'invalid_option', 'a number from 0 to 1'],
  ["target_lag = '1 h' cardinality_threshold = 2", 'invalid_option', 'a number from 0 to 1'],
  ["target_lag = '1 h' cardinality_threshold = -1", 'invalid_option', 'a number from 0 to 1'],
  ["target_lag = '1 h' cardinality_threshold = 'Infinity'", 'invalid_option', 'a number from 0 to 1'],
  ["target_lag = '1 h' priority = 0", 'invalid_option', 'from 1, the first, to 5, the last'],
  ["target_lag = '1 h' priority = 1.5", 'invalid_option', 'a whole number'],
  ["target_lag = '1 h' priority = high", 'invalid_option', 'a whole number'],
  ["target_lag = '1 h' comment = 5", 'invalid_option', 'a text in quotes'],
  ["target_lag = '1 h' initialize on_create", 'syntax', '"=" must follow INITIALIZE'],
  ["(target_lag = '1 h')", 'syntax', 'where an option or AS belongs'],
  ['', 'syntax', "TARGET_LAG = '5 minutes'"],
])('%s is refused as %s, with what would be right', (options, code, right) => {
  const error = mistake(`${options} as select 1 as a`);
  expect(error.code).toBe(code);
  expect(`${error.message} ${error.hint}`).toContain(right);
  expect(error.position?.line).toBe(1);
});

test('a name is never empty, and never one of another database', () => {
  for (const name of ['""', 'main.""', '"".d']) {
    expect(refused(`create dynamic table ${name} target_lag = '1 h' as select 1`).message).toBe(
      "A name can't be empty",
    );
  }
  expect(refused("create dynamic table other.main.d target_lag = '1 h' as select 1").message).toContain(
    'always in the lake',
  );
});

test('quotes, dots, other alphabets, 200 characters and SQL in names and comments are names and comments', () => {
  const names = [
    'a"b',
    'a.b',
    ' ',
    'ü😀名',
    'x'.repeat(200),
    `'; drop table orders; --`,
    'select',
    '$$',
    '/* x */',
    '\n',
  ];
  for (const name of names) {
    const comment = `'; ${name}`;
    const quoted = `"${name.replaceAll('"', '""')}"`;
    const text = `create dynamic table ${quoted}.${quoted} target_lag = '1 h' comment = '${comment.replaceAll("'", "''")}' as select 1`;
    expect(parseStatement(text)).toMatchObject({
      kind: 'create',
      table: {schema: name, name},
      options: {comment},
      query: {text: 'select 1'},
    });
  }
});

test('no comment is NULL or empty, and numbers may stand in quotes', () => {
  for (const options of ["comment = '' priority = '2'", 'COMMENT = null, PRIORITY = 2'])
    expect(parseStatement(`alter dynamic table d set ${options}`)).toEqual({
      ...{kind: 'alter', table: {schema: 'main', name: 'd'}},
      change: {kind: 'set', options: {comment: null, priority: 2}},
    });
});

function mistake(options: string): FreshetError {
  return refused(`create dynamic table d ${options}`);
}

function refused(statement: string): FreshetError {
  try {
    parseStatement(statement);
  } catch (error) {
    if (error instanceof FreshetError) return error;
    throw error;
  }
  throw new Error(`${statement} was accepted`);
}
