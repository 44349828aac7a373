import {describe, expect, test} from 'vitest';
import {isLike} from '../../src/definition/like.ts';
import {parseStatement, splitStatements} from '../../src/definition/parse.ts';
import {positionInStatement} from '../../src/definition/position.ts';
import {FreshetError} from '../../src/errors.ts';

function created(text: string) {
  const statement = parseStatement(text);
  if (statement.kind !== 'create') throw new Error(`${text} is no CREATE`);
  return statement;
}

function mistake(text: string): FreshetError {
  try {
    parseStatement(text);
  } catch (error) {
    if (error instanceof FreshetError) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe('CREATE DYNAMIC TABLE', () => {
  test('its options have defaults', () => {
    expect(created("create dynamic table totals target_lag = '5 minutes' as select 1")).toMatchObject({
      table: {schema: 'main', name: 'totals'},
      ifNotExists: false,
      options: {
        targetLag: {kind: 'seconds', seconds: 300},
        refreshMode: 'AUTO',
        initialize: 'ON_CREATE',
        cardinalityThreshold: 0.3,
        comment: null,
      },
      query: {text: 'select 1'},
    });
  });

  test('options come in any order, with or without commas', () => {
    const {options, table, ifNotExists} = created(`
      CREATE DYNAMIC TABLE IF NOT EXISTS "My Schema"."A.b"
        COMMENT = 'it''s mine', REFRESH_MODE = full
        CARDINALITY_THRESHOLD = .5, INITIALIZE = ON_SCHEDULE
        PRIORITY = 1, TARGET_LAG = DOWNSTREAM
      AS FROM t;`);
    expect(table).toEqual({schema: 'My Schema', name: 'A.b'});
    expect(ifNotExists).toBe(true);
    expect(options).toEqual({
      targetLag: {kind: 'downstream'},
      refreshMode: 'FULL',
      initialize: 'ON_SCHEDULE',
      cardinalityThreshold: 0.5,
      comment: "it's mine",
      priority: 1,
    });
  });

  test('OR REPLACE is kept in mind', () => {
    const text = "dynamic table d target_lag = '1 h' as select 1";
    expect(created(`create or replace ${text}`)).toMatchObject({orReplace: true, ifNotExists: false});
    expect(created(`create ${text}`)).toMatchObject({orReplace: false});
  });

  test('the query is carried along character for character, without the last semicolon', () => {
    const query = `/* first */ select '; as', "as;", $x$ ; $x$ -- ;
      from t /* a /* nested */ ; */ where x = E'\\';'`;
    expect(created(`create dynamic table d target_lag = '1 h' as ${query} ; -- done`).query.text).toBe(
      query.slice('/* first */ '.length),
    );
  });

  test('a place in the query is found again in the statement, in characters', () => {
    const {query} = created("create dynamic table d\n  target_lag = '1 h' as\nselect 'né😀', x");
    const bytesBeforeX = Buffer.byteLength("select 'né😀', ");
    expect(positionInStatement(query, bytesBeforeX)).toEqual({line: 3, column: 15});
  });

  test.each([
    ["create dynamic table d target_lagg = '1 h' as select 1", 'unknown_option', {line: 1, column: 24}, /TARGET_LAG"/],
    ["create dynamic table d target_lag = '9 s' as select 1", 'invalid_option', {line: 1, column: 37}, undefined],
    ['create dynamic table d target_lag = 5 as select 1', 'invalid_option', {line: 1, column: 37}, undefined],
    [
      "create dynamic table d target_lag = '1 h' target_lag = '2 h' as select 1",
      'invalid_option',
      {line: 1, column: 43},
      undefined,
    ],
    [
      "create dynamic table d target_lag = '1 h' refresh_mode = fast as select 1",
      'invalid_option',
      {line: 1, column: 58},
      undefined,
    ],
    [
      "create dynamic table d target_lag = '1 h' cardinality_threshold = 1.5 as select 1",
      'invalid_option',
      {line: 1, column: 67},
      undefined,
    ],
    [
      "create dynamic table d target_lag = '1 h' comment = mine as select 1",
      'invalid_option',
      {line: 1, column: 53},
      undefined,
    ],
    ['create dynamic table d as select 1', 'syntax', {line: 1, column: 27}, /TARGET_LAG = /],
    ["create dynamic table d target_lag '1 h' as select 1", 'syntax', {line: 1, column: 35}, undefined],
    ["create dynamic table d\n target_lag = '1 h' as ;", 'syntax', {line: 2, column: 24}, undefined],
    ["create dynamic table d target_lag = '1 h'", 'syntax', {line: 1, column: 42}, undefined],
    ["create dynamic table a.b.c target_lag = '1 h' as select 1", 'syntax', {line: 1, column: 26}, undefined],
    ["create dynamic table target_lag = '1 h' as select 1", 'syntax', {line: 1, column: 33}, undefined],
    ['create or replace dynamic table if not exists d as select 1', 'syntax', {line: 1, column: 33}, undefined],
    ["create dynamic table d target_lag = '1 h as select 1", 'syntax', {line: 1, column: 37}, undefined],
    ["create dynamic table d target_lag = '1 h' as select 1 /* x", 'syntax', {line: 1, column: 55}, undefined],
  ])('%s is refused where it goes wrong', (text, code, position, hint) => {
    const error = mistake(text);
    expect({code: error.code, position: error.position}).toEqual({code, position});
    if (hint !== undefined) expect(error.hint).toMatch(hint);
  });
});

test.each([
  [
    "target_lag = '1 minut' as select 1",
    `TARGET_LAG is a span of time such as '5 minutes' (in seconds, minutes, hours, days or weeks), or DOWNSTREAM, not '1 minut'`,
  ],
  [
    'target_lag = upstream as select 1',
    `TARGET_LAG is a span of time such as '5 minutes' (in seconds, minutes, hours, days or weeks), or DOWNSTREAM, not "upstream"`,
  ],
  ["target_lag = '1 second' as select 1", "TARGET_LAG = '1 second' is too short: it must be at least 10 seconds"],
  ["target_lag = '5 minutes' select 1", 'AS is missing before the query'],
  ["target_lag = '5 minutes' with a as (select 1) from a", 'AS is missing before the query'],
])('%s is refused in these words', (options, message) => {
  expect(mistake(`create dynamic table d ${options}`).message).toBe(message);
});

test('ALTER … REFRESH, SUSPEND, RESUME and DROP are ours', () => {
  for (const kind of ['refresh', 'suspend', 'resume']) {
    expect(parseStatement(`alter dynamic table s.d ${kind};`)).toEqual({
      kind: 'alter',
      table: {schema: 's', name: 'd'},
      change: {kind},
    });
  }
  expect(parseStatement('drop dynamic table if exists d')).toEqual({
    kind: 'drop',
    table: {schema: 'main', name: 'd'},
    ifExists: true,
  });
  expect(mistake('alter dynamic table d explode')).toMatchObject({
    code: 'syntax',
    hint: 'It knows SET, RENAME TO, REFRESH, SUSPEND and RESUME.',
  });
  expect(mistake('drop dynamic table d cascade')).toMatchObject({code: 'syntax', position: {line: 1, column: 22}});
});

test('ALTER … SET takes the options of CREATE, in any order', () => {
  const set = "set comment = 'it''s mine', target_lag = downstream refresh_mode = full";
  expect(parseStatement(`alter dynamic table d ${set};`)).toMatchObject({
    change: {
      kind: 'set',
      options: {comment: "it's mine", targetLag: {kind: 'downstream'}, refreshMode: 'FULL'},
    },
  });
});

test.each([
  ['alter dynamic table d set', 'syntax', 26, 'The end of the statement stands where an option belongs'],
  ['alter dynamic table d set as select 1', 'unknown_option', 27, 'There is no option AS'],
  ['alter dynamic table d set initialize = on_create', 'invalid_option', 27, /has begun/],
  ["alter dynamic table d set comment = 'a' comment = 'b'", 'invalid_option', 41, 'COMMENT is given twice'],
  ["alter dynamic table d set comment = 'a' ; refresh", 'syntax', 43, /after the end/],
])('%s is refused where it goes wrong', (text, code, column, message) => {
  const error = mistake(text);
  expect(error).toMatchObject({code, position: {line: 1, column}});
  expect(error.message).toMatch(message);
});

test('ALTER … RENAME TO takes a name in the same schema', () => {
  for (const to of ['e', 's.e', 's."e"'])
    expect(parseStatement(`alter dynamic table s.d rename to ${to}`)).toMatchObject({
      change: {kind: 'rename', to: {schema: 's', name: 'e'}},
    });
  expect(mistake('alter dynamic table s.d rename to main.e')).toMatchObject({
    ...{code: 'syntax', position: {line: 1, column: 35}, hint: 'In another schema, create it anew.'},
  });
});

test('SHOW and DESCRIBE are ours', () => {
  expect(parseStatement('show dynamic tables;')).toEqual({kind: 'show', like: null});
  expect(parseStatement("SHOW DYNAMIC TABLES LIKE 'tot%'")).toEqual({kind: 'show', like: 'tot%'});
  for (const word of ['desc', 'DESCRIBE'])
    expect(parseStatement(`${word} dynamic table s.d`)).toEqual({kind: 'describe', table: {schema: 's', name: 'd'}});
  expect(mistake('show dynamic tables like tot')).toMatchObject({code: 'syntax', position: {line: 1, column: 26}});
  expect(parseStatement('show tables').kind).toBe('sql');
});

test.each([
  ['totals', 'TOT%', true],
  ['totals', 'tot', false],
  ['totals', '_otals', true],
  ['a.b(c)', 'a.b(%', true],
  ['axb', 'a.b', false],
  ['zwei\nZeilen', '%Z%n', true],
])('%s LIKE %s: %s', (name, pattern, isSo) => {
  expect(isLike(name, pattern)).toBe(isSo);
});

test('every other statement is left to DuckDB', () => {
  const text = "-- a table\ncreate table t as select 'create dynamic table'";
  expect(parseStatement(text)).toEqual({kind: 'sql', text});
});

test('several statements are told apart by their semicolons alone', () => {
  const text = "create table a (x int);;\n -- one; two\n insert into a values (';'); select $$;$$ ;";
  expect(splitStatements(text)).toEqual([
    {text: 'create table a (x int)', start: {line: 1, column: 1}},
    {text: "insert into a values (';')", start: {line: 3, column: 2}},
    {text: 'select $$;$$', start: {line: 3, column: 30}},
  ]);
});
