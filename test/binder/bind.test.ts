import {describe, expect, test} from 'vitest';
import {parseStatement} from '../../src/definition/parse.ts';
import {aLake} from '../support/lake.ts';
import {bind, mistakeIn} from './bound.ts';

describe('mistakes', () => {
  test("have our code, DuckDB's words, the place in the user's statement and the nearest name", async () => {
    await using lake = await aLake();
    await lake.run('create schema sales');
    await lake.run('create table orders(id int, region varchar, amount decimal(12,2))');
    await lake.run('create table sales.customers(id int, name varchar)');
    await lake.run('create view broken as select * from orders');
    await lake.run('alter table orders rename column amount to total');
    await lake.run('create view stale as select total from orders');
    await lake.run('alter table orders drop column total');
    await lake.run('create macro twice(x) as x * 2');
    await lake.run('create macro biggest(n) as table select * from orders order by id desc limit n');
    const mistakes = await Promise.all(
      [
        'select regoin from orders',
        'select o.regoin from orders o',
        'select id\nfrom ordrs',
        'select * from sales.custmers',
        'select * from nowhere.at_all',
        'select c.id from orders o join sales.customers k using (id)',
        'select id from orders o join sales.customers k on true',
        "select 'né', regoin from orders",
        'select id from orders where',
        "select 'é', id from orders )",
        'select id, count(*) from orders',
        'select countt(id) from orders',
        'select * exclude (regoin) from orders',
        'select * from stale',
        'select id from orders join sales.customers using (nme)',
        'select {a: 1}.bc as x from orders',
        'select * from custmers',
        'select * from lake.main.ordrs',
        'select twise(id) as x from orders',
        'select * from bigest(3)',
        "select id + 'x'::blob as x from orders",
        'select cast(id as integr) as x from orders',
      ].map(async (text) => {
        const {code, message, position, hint} = await mistakeIn(lake, text);
        return [code, message, position === undefined ? '' : `${position.line}:${position.column}`, hint ?? ''];
      }),
    );
    expect(mistakes).toEqual([
      ['unknown_column', 'Referenced column "regoin" not found in FROM clause!', '1:8', 'Did you mean "region"?'],
      ['unknown_column', 'Values list "o" does not have a column named "regoin"', '1:8', 'Did you mean "region"?'],
      ['unknown_source', 'There is no table or view "ordrs" in the lake', '2:6', 'Did you mean "orders"?'],
      [
        'unknown_source',
        'There is no table or view "sales.custmers" in the lake',
        '1:15',
        'Did you mean "sales.customers"?',
      ],
      ['unknown_source', 'There is no table or view "nowhere.at_all" in the lake', '1:15', ''],
      ['unknown_source', 'Referenced table "c" not found!', '1:8', expect.stringContaining('"k"')],
      ['ambiguous_name', 'Ambiguous reference to column name "id" (use: "o.id" or "k.id")', '1:8', ''],
      ['unknown_column', 'Referenced column "regoin" not found in FROM clause!', '1:14', 'Did you mean "region"?'],
      ['syntax', 'Syntax error at end of input', '1:28', ''],
      ['syntax', 'Syntax error at or near ")"', '1:28', ''],
      [
        'invalid_query',
        'column "id" must appear in the GROUP BY clause or must be part of an aggregate function.',
        '1:8',
        expect.stringContaining('Either add it'),
      ],
      ['invalid_query', 'Scalar Function with name countt does not exist!', '1:8', 'Did you mean "count"?'],
      ['unknown_column', 'Column "regoin" in EXCLUDE list not found in FROM clause', '1:19', 'Did you mean "region"?'],
      ['invalid_query', expect.stringContaining('View main.stale no longer fits what it reads: '), '', ''],
      ['unknown_column', 'Column "nme" does not exist on left side of join!', '1:51', 'Did you mean "name"?'],
      ['invalid_query', 'Could not find key "bc" in struct', '1:15', expect.stringContaining('"a"')],
      ['unknown_source', 'There is no table or view "custmers" in the lake', '1:15', 'Did you mean "sales.customers"?'],
      ['unknown_source', 'There is no table or view "lake.main.ordrs" in the lake', '1:15', 'Did you mean "orders"?'],
      ['invalid_query', 'Scalar Function with name twise does not exist!', '1:8', 'Did you mean "twice"?'],
      ['forbidden_query', 'The query uses bigest(), which a dynamic table may not', '1:15', 'Did you mean "biggest"?'],
      ['invalid_query', expect.stringContaining("'+(INTEGER, BLOB)'"), '1:11', ''],
      ['invalid_query', 'Type with name integr does not exist!', '1:19', 'Did you mean "integer"?'],
    ]);
  });

  test('are placed in the whole statement, not in its query', async () => {
    await using lake = await aLake();
    await lake.run('create table orders(id int, region varchar)');
    const statement = parseStatement(
      "create dynamic table d\n  target_lag = '1 minute' as\n  select id,\n    regoin from orders",
    );
    if (statement.kind !== 'create') throw new Error('no CREATE');
    expect(await mistakeIn(lake, statement.query)).toMatchObject({
      code: 'unknown_column',
      position: {line: 4, column: 5},
    });
  });
});

test('columns are named and typed as DuckDB does it; what the lake would change is stored as another type or refused', async () => {
  await using lake = await aLake();
  await lake.run('create table orders(id int, region varchar, amount decimal(12,2))');
  const {outputs} = await bind(
    lake,
    `select id, id, 1 as "ID", sum(id) as total, [sum(id)] as totals, {'h': sum(id), 'hugeint': 1} as s,
      region::enum('eu', 'us') as e, amount * 2, map {'a': 1::uhugeint} as m from orders group by all`,
  );
  expect(
    outputs.map(({name, type, storedType}) => `${name}: ${type}${type === storedType ? '' : ` as ${storedType}`}`),
  ).toEqual([
    'id: INTEGER',
    'id_1: INTEGER',
    'ID_2: INTEGER',
    'total: HUGEINT as DECIMAL(38,0)',
    'totals: HUGEINT[] as DECIMAL(38,0)[]',
    's: STRUCT(h HUGEINT, hugeint INTEGER) as STRUCT(h DECIMAL(38,0), hugeint INTEGER)',
    "e: ENUM('eu', 'us') as VARCHAR",
    '(amount * 2): DECIMAL(18,2)',
    'm: MAP(VARCHAR, UHUGEINT) as MAP(VARCHAR, DECIMAL(38,0))',
  ]);

  const casts = {
    "'1'::bit": 'VARCHAR',
    "'123'::bignum": 'VARCHAR',
    "time_ns '10:00:00'": 'TIME',
    'interval 1 day': 'VARCHAR',
    "'12:00+02'::timetz": 'VARCHAR',
    '1::union(a int, b varchar)': 'VARCHAR',
    '[id, id]::int[2]': 'INTEGER[]',
    '[[id, id]::int[2]]': 'INTEGER[][]',
    "{'a': [interval 1 day], 'b': 1}": 'STRUCT(a VARCHAR[], b INTEGER)',
    "map {'a': [interval 1 day, interval 2 days]::interval[2]}": 'MAP(VARCHAR, VARCHAR[])',
  };
  for (const [expression, cast] of Object.entries(casts)) {
    const {code, hint} = await mistakeIn(lake, `select ${expression} as "my x" from orders`);
    expect([code, hint]).toEqual(['unsupported_type', `Cast it: CAST(… AS ${cast}) AS "my x".`]);
    const [{storedType} = {storedType: ''}] = (
      await bind(lake, `select cast(${expression} as ${cast}) as x from orders`)
    ).outputs;
    expect(storedType).toBe(cast);
  }
  expect((await mistakeIn(lake, 'select row(1, 2) as x from orders')).hint).toContain('struct_pack');
  expect(await mistakeIn(lake, 'select id as row_id from orders')).toMatchObject({code: 'invalid_column_name'});
  expect(await mistakeIn(lake, 'select id as "RowId" from orders')).toMatchObject({code: 'invalid_column_name'});
});

test('sources are the tables really scanned, with the columns that the query uses', async () => {
  await using lake = await aLake();
  await lake.run('create table orders(id int, region varchar, amount int, note varchar)');
  await lake.run('create table customers(id int, name varchar, region varchar)');
  await lake.run('create view named as select o.id, o.amount, c.name from orders o join customers c using (region)');
  const uses = async (text: string) =>
    Object.fromEntries((await bind(lake, text)).sources.map(({table, columns}) => [table.name, columns.join(' ')]));
  expect(await uses('select region, count(*) from orders where amount > 1 group by 1')).toEqual({
    orders: 'region amount',
  });
  expect(await uses('select a.id from orders a join orders b on a.amount = b.id')).toEqual({orders: 'id amount'});
  expect(await uses('select name from named')).toEqual({orders: 'region', customers: 'name region'});
  // Refreshed fully, every column that is scanned may count.
  expect(await uses('select id from orders limit 1')).toEqual({orders: 'id region amount note'});
});

test('volatile functions are found in the query, in views and in macros', async () => {
  await using lake = await aLake();
  await lake.run('create table orders(id int, placed timestamp)');
  await lake.run('create view today_only as select id from orders where placed >= current_date');
  await lake.run('create macro older(t) as t < now()');
  const volatile = async (text: string) => (await bind(lake, text)).volatileFunctions;
  expect(await volatile('select random(), uuid(), now() from orders')).toEqual(['now', 'random', 'uuid']);
  expect(await volatile('select * from today_only')).toEqual(['current_date']);
  expect(
    await volatile(
      "select d::date from range(timestamp '2020-01-01', current_timestamp::timestamp, interval 1 day) as t(d)",
    ),
  ).toEqual(['current_timestamp', 'get_current_timestamp']);
  expect(await volatile('select older(placed) from orders')).toEqual(['now']);
  expect(await volatile('select age(placed) > interval 1 day as old from orders')).toEqual(['age(timestamp)']);
  expect(await volatile('select id from orders using sample 10%')).toEqual(['a sample without REPEATABLE']);
  expect(await volatile('select id from orders tablesample 3 rows')).toEqual(['a sample without REPEATABLE']);
  expect(await volatile('select id from orders tablesample bernoulli (10%) repeatable (42)')).toEqual([]);
  expect(
    await volatile("select age(placed, placed) > interval 1 day as old, error('x')::int as e, abs(id) from orders"),
  ).toEqual([]);
});

test('a plan is of the query alone: rows, files, partitions and deletes change nothing in it', async () => {
  await using lake = await aLake();
  await lake.run('create table orders(id int, region varchar, day date, amount int)');
  await lake.run('alter table orders set partitioned by (region, year(day))');
  const texts = [
    "select id from orders where region = 'eu'",
    "select id from orders where region in ('eu', 'us') and day >= '2024-01-01'",
    'select id from orders where year(day) = 2024',
    "select id from orders where region = 'nowhere' and id > 1000000",
    'select count(*) from orders where region is null and amount between 5 and 7',
  ];
  const readings = async () => {
    const found = [];
    for (const text of texts) found.push((await bind(lake, text)).reading);
    return found;
  };
  const empty = await readings();
  expect(empty.map(({kind}) => kind)).toEqual(texts.map(() => 'relation'));
  for (const region of ['eu', 'us']) {
    for (const year of [2023, 2024]) {
      await lake.run(
        `insert into orders select i, '${region}', date '${year}-03-01' + i::int, i from range(200) as t(i)`,
      );
    }
  }
  expect(await readings()).toEqual(empty);
  await lake.run("delete from orders where region = 'us' or id % 3 = 0");
  expect(await readings()).toEqual(empty);
});
