import {execFileSync} from 'node:child_process';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {expect, test} from 'vitest';
import {define} from '../../src/activities/define.ts';
import {defaultSettings} from '../../src/definition/definition.ts';
import {bareQuery} from '../../src/definition/statement.ts';
import {FreshetError} from '../../src/errors.ts';
import {raw} from '../../src/sql.ts';
import {aLake, type TestLake} from '../support/lake.ts';

/**
 * Queries that try to get out of the lake. What would show that one did: a word that stands in files only, a server that counts
 * who asks it, and a pipe that would keep its reader waiting for ever.
 */
type Bait = {readonly csv: string; readonly parquet: string; readonly pipe: string; readonly url: string};

const word = 'CANARY_7f3a';

const hostile = ({csv, parquet, pipe, url}: Bait): readonly string[] => [
  // Table functions over files, also by way of quotes, case, schemas, escapes, comments and dots.
  `select * from read_csv('${csv}')`,
  `from read_csv_auto('${csv}')`,
  `from read_csv('${pipe}', header := false, columns := {'a': 'varchar'})`,
  `from read_text('${pipe}')`,
  `from read_blob(['${csv}', '${pipe}'])`,
  `from read_json('${csv}')`,
  `from read_ndjson_objects('${csv}')`,
  `from read_parquet('${parquet}')`,
  `from parquet_scan('${parquet}')`,
  `from parquet_metadata('${parquet}')`,
  `from parquet_schema('${parquet}')`,
  `from parquet_kv_metadata('${parquet}')`,
  `from glob('${path.dirname(csv)}/*')`,
  `from sniff_csv('${csv}')`,
  `from read_duckdb('${csv}')`,
  `from arrow_scan(1, 2, 3)`,
  `from "READ_TEXT"('${csv}')`,
  `from system.main.read_text('${csv}')`,
  `from main.read_text('${csv}')`,
  `from /* read */ read_text /* it */ ('${csv}') -- now`,
  `from read_text(E'${csv.replace('c.csv', String.raw`\x63.csv`)}')`,
  `from read_text($$${csv}$$)`,
  `from read_text('${csv.slice(0, 5)}' || '${csv.slice(5)}')`,
  `select '${csv}'.read_text() as x`,
  `from range((select length(content) from read_text('${csv}')))`,
  `from range(3 order by (select 1 from '${csv}'))`,
  `select (select content from read_text('${csv}')) as x`,
  `select id from orders where exists (from read_text('${csv}'))`,
  `select count(*) filter (where (select true from read_text('${csv}'))) as n from orders`,
  `select list_transform([1], lambda x: (select content from read_text('${csv}'))) as l from orders`,
  `select list_transform([1], x -> (select content from read_text('${csv}'))) as l from orders`,
  `select sum(id) over (order by (select content from read_text('${csv}'))) as n from orders`,
  `select * replace ((select content from read_text('${csv}')) as id) from orders`,
  `select id from orders qualify row_number() over () = (select count(*) from read_text('${csv}'))`,
  `select id from orders order by (select content from read_text('${csv}'))`,
  `select id from orders limit (select count(*) from read_text('${csv}'))`,
  `pivot orders on id in (select content from read_text('${csv}')) using count(*)`,
  `from orders, lateral (from read_text('${csv}') where id = 1)`,
  `with a as materialized (from read_text('${csv}')) select 1 as one`,
  `with recursive r as (select 1 as n union all select n + 1 from r, read_text('${csv}') where n < 3) from r`,
  `(from orders) union all (select 1 from read_text('${csv}'))`,
  // Names that are files or addresses.
  `select * from '${csv}'`,
  `from '${parquet}'`,
  `from "${csv}"`,
  `from $$${csv}$$`,
  `from E'${csv.replace('c.csv', String.raw`\x63.csv`)}'`,
  `from '${csv.slice(0, 5)}'\n'${csv.slice(5)}'`,
  `from main."${csv}"`,
  `from lake.main."${csv}"`,
  `table "${csv}"`,
  `from 'file:${csv}'`,
  `from '${url}/x.parquet'`,
  `from read_csv('${url}/x.csv')`,
  `from read_text('${url}')`,
  `from "${url}/x.csv"`,
  `from 's3://bucket/x.parquet'`,
  `from 'hf://datasets/x/y.csv'`,
  `from (with "${csv}" as (select 1 as a) from "${csv}"), "${csv}"`,
  `with a as (from "${csv}"), "${csv}" as (select 1) from a`,
  `select U&'\\0041' as a from U&"\\002fetc"`,
  // Other databases.
  `from sqlite_scan('${csv}', 't')`,
  `from postgres_scan('host=127.0.0.1', 'public', 't')`,
  `from postgres_scan_pushdown('host=127.0.0.1', 'public', 't')`,
  `from postgres_query('freshet_lake', 'select 1')`,
  `from postgres_execute('freshet_lake', 'drop table x')`,
  `from postgres_attach('host=127.0.0.1')`,
  `from mysql_query('x', 'select 1')`,
  `from iceberg_scan('${csv}')`,
  `from delta_scan('${csv}')`,
  `from freshet_lake.main.orders`,
  `from "Freshet_Lake".orders`,
  `from __ducklake_metadata_freshet_lake.public.ducklake_data_file`,
  `from freshet_state.x`,
  `from lake.freshet_state.x`,
  `from memory.main.x`,
  `from temp.main.x`,
  `from ducklake_snapshots('freshet_lake')`,
  `from ducklake_table_insertions('freshet_lake', 'main', 'orders', 0, 9)`,
  `from ducklake_list_files('freshet_lake', 'orders')`,
  `from ducklake_expire_snapshots('freshet_lake')`,
  `from ducklake_cleanup_old_files('freshet_lake')`,
  `from ducklake_add_data_files('freshet_lake', 'orders', '${parquet}')`,
  `from lake.snapshots()`,
  `from lake.table_changes('orders', 0, 9)`,
  `from orders at (version => 1)`,
  // Settings, secrets, the environment and the catalog.
  `from duckdb_secrets()`,
  `from duckdb_settings()`,
  `from duckdb_databases()`,
  `from duckdb_logs()`,
  `from which_secret('s3://x', 's3')`,
  `from pragma_database_size()`,
  `from pragma_table_info('orders')`,
  `from information_schema.tables`,
  `from pg_catalog.pg_settings`,
  `from lake.information_schema.columns`,
  `from sqlite_master`,
  `from duckdb_tables`,
  `select getenv('HOME') as x`,
  `select current_setting('allowed_directories') as x`,
  `select "current_setting"('temp_directory') as x from orders`,
  `select getvariable('x') as x`,
  `select current_setting(lower('TEMP_DIRECTORY')) as x`,
  `select sleep_ms(60000) as x`,
  `select write_log('x') as x`,
  // SQL made of text.
  `from query('from read_text(''${csv}'')')`,
  `from query_table('orders')`,
  `from query_table(['${csv}'])`,
  `select json_serialize_plan('from ''${csv}''') as x`,
  `from json_execute_serialized_sql(json_serialize_sql('from ''${csv}'''))`,
  // What is no SELECT.
  `select 1; from '${csv}'`,
  `select 1 as a; drop table orders`,
  `with d as (delete from orders returning *) from d`,
  `with d as (insert into orders values (1) returning *) from d`,
  `delete from orders returning *`,
  `update orders set id = 1`,
  `truncate orders`,
  `create table x as from '${csv}'`,
  `create macro f() as table from '${csv}'`,
  `create secret (type s3)`,
  `copy orders to '${csv}'`,
  `copy orders from '${csv}'`,
  `copy (from '${csv}') to '/dev/stdout'`,
  `export database '${path.dirname(csv)}/out'`,
  `import database '${path.dirname(csv)}'`,
  `attach '${csv}' as x`,
  `detach lake`,
  `use memory`,
  `install httpfs from '${url}'`,
  `load '${csv}'`,
  `set enable_external_access = true`,
  `reset allowed_directories`,
  `pragma enable_profiling`,
  `call checkpoint()`,
  `from (call duckdb_settings())`,
  `explain analyze from '${csv}'`,
  `describe '${csv}'`,
  `summarize '${csv}'`,
  `show all tables`,
  `from (summarize '${csv}')`,
  `from (describe '${csv}')`,
  `from (show databases)`,
  `prepare p as from '${csv}'`,
  `execute p`,
  `begin`,
  `select ? as a`,
  `select $x as a`,
];

test('no query reads a byte outside of the lake', async () => {
  await using lake = await aLake();
  await using bait = await someBait(lake);
  await lake.run('create table orders(id int)');
  const queries = hostile(bait);
  const outcomes: string[] = [];
  for (const query of queries) outcomes.push(`${await outcomeOf(lake, query)}: ${query}`);
  expect(outcomes.filter((outcome) => !/^(forbidden_query|syntax|unknown_source): /.test(outcome))).toEqual([]);
  expect(queries.length).toBeGreaterThan(120);
  expect(bait.asked()).toBe(0);
});

test('nor by way of a view or macro that somebody has made', async () => {
  await using lake = await aLake();
  await using bait = await someBait(lake);
  await lake.run('create table orders(id int)');
  const made = [
    [`create view v as select * from read_csv('${bait.csv}')`, 'from v'],
    [`create view w as select * from '${bait.csv}'`, 'select 1 as a from orders, w'],
    [`create view over_v as select * from v`, 'from over_v'],
    [`create view s as select current_setting('temp_directory') as x`, 'from s'],
    [`create view secrets as from duckdb_secrets()`, 'from secrets'],
    [`create view catalog as from duckdb_tables()`, 'from catalog'],
    [`create view tables as from information_schema.tables`, 'from tables'],
    [`create view sums as from (summarize orders)`, 'from sums'],
    [`create macro m() as (select content from read_text('${bait.csv}'))`, 'select m() as x'],
    [`create macro t() as table from '${bait.csv}'`, 'from t()'],
    [`create macro f(p) as table from read_text(p)`, `from f('${bait.csv}')`],
    [`create macro q(p) as table from query_table(p)`, `from q('orders')`],
    [`create macro e(p) as current_setting(p)`, `select e('temp_directory') as x`],
    [`create macro m2() as m()`, 'select list_transform([1], x -> m2()) as l from orders'],
  ] as const;
  const outcomes: string[] = [];
  for (const [statement, query] of made) {
    await lake.run(statement);
    outcomes.push(`${await outcomeOf(lake, query)}: ${query}`);
  }
  expect(outcomes).toEqual(made.map(([, query]) => `forbidden_query: ${query}`));
  expect(bait.asked()).toBe(0);
});

test('behind the first wall stands a second: the instances themselves open nothing outside of the lake', async () => {
  await using lake = await aLake();
  await using bait = await someBait(lake);
  const {csv, parquet, pipe, url} = bait;
  const texts = [
    `from read_csv('${csv}')`,
    `from '${csv}'`,
    `from read_text('${pipe}')`,
    `from read_parquet('${parquet}')`,
    `from read_text('${url}/x')`,
    `from read_text('${path.join(lake.options.dataPath, '..', '..', path.basename(path.dirname(csv)), 'c.csv')}')`,
    `copy (select 1) to '${csv}'`,
    `attach '${csv}'`,
    `load '${csv}'`,
    `set enable_external_access = true`,
    `set allowed_directories = ['/']`,
  ];
  for (const within of ['bind', 'compute'] as const) {
    await lake.lake[within](defaultSettings, async (session) => {
      for (const text of texts) await expect(session.rows(raw(text)), text).rejects.not.toThrow(word);
    });
  }
  expect(bait.asked()).toBe(0);
});

/** The code that it is refused with; what came of it, when it was not. */
async function outcomeOf({lake}: TestLake, text: string): Promise<string> {
  const table = {schema: 'main', name: 'target'};
  const options = {
    targetLag: {kind: 'downstream'},
    refreshMode: 'FULL',
    initialize: 'ON_CREATE',
    cardinalityThreshold: 0.3,
    comment: null,
  } as const;
  try {
    await define(lake, {table, query: text, options, settings: defaultSettings}, bareQuery(text));
    return 'ACCEPTED';
  } catch (error) {
    if (!(error instanceof FreshetError)) return `FAILED ${String(error)}`;
    return `${error.message} ${error.hint}`.includes(word) ? 'READ' : error.code;
  }
}

async function someBait({rows}: TestLake): Promise<Bait & AsyncDisposable & {readonly asked: () => number}> {
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-bait-'));
  const [csv, parquet, pipe] = ['c.csv', 'c.parquet', 'pipe'].map((name) => path.join(folder, name));
  await writeFile(csv!, `${word},1\n${word},2\n`);
  await rows(`copy (select '${word}' as c) to '${parquet}'`);
  execFileSync('mkfifo', [pipe!]);
  let asked = 0;
  const server = createServer((_, response) => {
    asked++;
    response.end(word);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ...{csv: csv!, parquet: parquet!, pipe: pipe!}, // Three names, three paths.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // A TCP server that listens.
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, {recursive: true, force: true});
    },
  };
}
