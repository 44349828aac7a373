import {describe, expect, test} from 'vitest';
import {reach} from '../../src/binder/reach.ts';
import {checkQuery} from '../../src/binder/walls.ts';
import {defaultSettings} from '../../src/definition/definition.ts';
import {bareQuery} from '../../src/definition/statement.ts';
import {FreshetError} from '../../src/errors.ts';
import type {Session} from '../../src/lake/session.ts';
import {raw} from '../../src/sql.ts';
import {aLake} from '../support/lake.ts';

/** What a user might try, or do without meaning it. */
const hostile = [
  "select * from read_csv('/etc/passwd')",
  "select * from read_csv_auto('/etc/passwd')",
  "select * from read_text('/etc/passwd')",
  "select * from read_blob('/etc/*')",
  "select * from read_parquet('s3://bucket/x')",
  "select * from parquet_scan('x')",
  "select * from parquet_metadata('x')",
  "select * from read_json('https://example.com/x.json')",
  "select * from read_duckdb('x.db')",
  "select * from sniff_csv('x')",
  "select * from glob('/*')",
  "select * from '/etc/passwd'",
  "select * from 'file.csv'",
  'select * from "https://example.com/x.parquet"',
  "select * from 's3://bucket/*.parquet'",
  "select id from orders where id in (select * from read_csv('x'))",
  "select (select count(*) from read_text('/etc/passwd')) from orders",
  "with a as (select * from read_csv('x')) select 1",
  "from orders, lateral (select * from read_csv('x'))",
  "select * from orders union all (select * from read_csv('x'))",
  "select * from system.main.read_csv('x')",
  'select * from "READ_CSV"(\'x\')',
  "select * from query('select 1')",
  "select * from query_table('orders')",
  "select json_serialize_plan('select * from read_csv(''x'')')",
  "select json_serialize_sql('select 1')",
  "select * from json_execute_serialized_sql('{}')",
  'select * from duckdb_settings()',
  'select * from duckdb_secrets()',
  "select getenv('HOME')",
  "select current_setting('temp_directory')",
  "select getvariable('x')",
  "select * from postgres_query('x', 'select 1')",
  "select * from postgres_scan('host=x', 'public', 'x')",
  "select * from ducklake_snapshots('freshet_lake')",
  "select * from ducklake_table_changes('freshet_lake', 'main', 'orders', 1, 2)",
  'select * from freshet_lake.main.orders',
  'select * from __ducklake_metadata_freshet_lake.public.ducklake_snapshot',
  'select * from information_schema.tables',
  'select * from pg_catalog.pg_class',
  'select * from lake.information_schema.tables',
  'select * from lake.freshet_state.x',
  'select * from freshet_state.x',
  'select * from system.main.duckdb_tables',
  'select * from orders at (version => 1)',
  'select * from orders at (timestamp => now())',
  'select * from (describe orders)',
  'select * from (show tables)',
  'summarize orders',
  'select $1 from orders',
  'select ? from orders',
  'insert into orders select 1',
  'create table x as select 1',
  "copy orders to 'x.csv'",
  "attach 'x.db'",
  'pragma database_list',
  "set temp_directory = '/'",
  'call checkpoint()',
  'select 1; drop table orders',
  'select * from enable_logging()',
  "select * from pragma_table_info('orders')",
  'select pg_get_viewdef(1)',
  'select sleep_ms(100000)',
  "select write_log('x')",
  'pivot orders on id using count(*)',
  '',
];

describe('what a query may not do', () => {
  test('is refused before DuckDB binds a word of it', async () => {
    await using lake = await aLake();
    await lake.run('create table orders(id int)');
    const snapshot = await lake.snapshot();
    const outcomes = await lake.lake.bind(defaultSettings, async (session) => {
      const seen: string[] = [];
      const watched = watching(session, seen);
      const codes: string[] = [];
      for (const text of hostile) {
        seen.length = 0;
        const code = await reach(watched, bareQuery(text), snapshot).then(() => 'accepted', codeOf);
        // It was only ever parsed: a literal for the parser, and never a statement.
        const bound = seen.filter((statement) => text !== '' && statement.includes(text) && !isParse(statement));
        codes.push(`${code}${bound.length > 0 ? ' but bound' : ''}: ${text}`);
      }
      return codes;
    });
    expect(outcomes).toEqual(hostile.map((text) => `forbidden_query: ${text}`));
  });

  test('is refused in views and macros of the lake too, naming them', async () => {
    await using lake = await aLake();
    await lake.run('create table orders(id int)');
    await lake.run('create view tables as select table_name from duckdb_tables()');
    await lake.run('create macro env(name) as current_setting(name)');
    await lake.run('create macro names() as table select * from duckdb_tables()');
    await lake.run('create macro outer_macro(x) as env(x)');
    const snapshot = await lake.snapshot();
    const refused = async (text: string): Promise<unknown> =>
      await lake.lake.bind(
        defaultSettings,
        async (session) => await reach(session, bareQuery(text), snapshot).catch(messageOf),
      );
    expect(await refused('select * from tables')).toContain('View main.tables uses duckdb_tables()');
    expect(await refused("select env('x')")).toContain('Macro main.env uses current_setting()');
    expect(await refused('from names()')).toContain('Macro main.names uses duckdb_tables()');
    expect(await refused("select outer_macro('x') from orders")).toContain('Macro main.env uses current_setting()');
  });

  test('has a second wall: the instance itself reads nothing outside', async () => {
    await using lake = await aLake();
    await lake.lake.bind(defaultSettings, async (session) => {
      for (const text of [
        "from read_text('/etc/hostname')",
        "from '/etc/passwd'",
        "attach '/tmp/x.db'",
        "copy (select 1) to '/tmp/x.csv'",
      ]) {
        await expect(session.rows(raw(text))).rejects.toThrow(/Permission|disabled|not exist/);
      }
    });
  });

  test("leaves none of DuckDB's own table functions and catalog macros open", async () => {
    await using lake = await aLake();
    await lake.lake.bind(defaultSettings, async (session) => {
      const functions = await session.rows<{name: string; isTable: boolean}>(
        raw(`select distinct function_name as name, function_type in ('table', 'table_macro') as "isTable" from duckdb_functions()
          where database_name = 'system' and regexp_matches(function_name, '^[a-z_]+$')
            and (function_type in ('table', 'table_macro') or regexp_matches(macro_definition, 'duckdb_|pragma_|SELECT', 'i'))`),
      );
      const open: string[] = [];
      for (const {name, isTable} of functions) {
        const query = bareQuery(isTable ? `select * from "${name}"()` : `select "${name}"()`);
        const names = {lake: 'lake', isMacro: () => false, tableMacros: []};
        await checkQuery(session, query, names).then(() => open.push(name), codeOf);
      }
      expect(open.toSorted()).toEqual([
        'generate_series',
        'json_each',
        'json_tree',
        'range',
        'repeat',
        'repeat_row',
        'unnest',
      ]);
    });
  });
});

const harmless = [
  'select * from orders o join lake.main.orders p using (id)',
  'select * from lake.orders',
  'with recursive "a.csv" as (select 1 as x union all select x + 1 from "a.csv" where x < 3) select * from "a.csv"',
  'select * from range(3), generate_series(1, 2), unnest([1])',
  "select * from (values (1, '/etc/passwd')) v, orders",
  'from orders select columns(*)',
  'pivot orders on id in (1, 2) using count(*)',
  'select id, list_transform([1], x -> x + id) from orders',
  'table orders',
  'select system.main.abs(id) from orders',
];

describe('what a query may do', () => {
  test('passes, and a CTE opens its name only where it is in scope', async () => {
    await using lake = await aLake();
    await lake.run('create table orders(id int)');
    const snapshot = await lake.snapshot();
    const outOfScope = 'select * from (with "a.csv" as (select 1) select * from "a.csv"), "a.csv"';
    const outcomes = await lake.lake.bind(defaultSettings, async (session) => {
      const codes: string[] = [];
      for (const text of [...harmless, outOfScope]) {
        codes.push(await reach(session, bareQuery(text), snapshot).then(() => 'accepted', codeOf));
      }
      return codes;
    });
    expect(outcomes).toEqual([...harmless.map(() => 'accepted'), 'forbidden_query']);
  });
});

function isParse(statement: string): boolean {
  return /^SELECT json_serialize_sql\('(?:[^']|'')*'\) AS tree$/.test(statement);
}

function watching(session: Session, seen: string[]): Session {
  return {
    ...session,
    rows: async (statement, label) => {
      seen.push(statement.text);
      return await session.rows(statement, label);
    },
  };
}

function codeOf(error: unknown): string {
  if (error instanceof FreshetError) return error.code;
  throw error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}
