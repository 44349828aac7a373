import {expect, test} from 'vitest';
import {createMirror} from '../../src/binder/mirror.ts';
import {reach, type Reached} from '../../src/binder/reach.ts';
import {defaultSettings} from '../../src/definition/definition.ts';
import {bareQuery} from '../../src/definition/statement.ts';
import {raw} from '../../src/sql.ts';
import {tableNameText} from '../../src/table-name.ts';
import {aLake, type TestLake} from '../support/lake.ts';

/** What a query gives in a mirror of what it reaches. */
async function rowsIn(
  lake: TestLake,
  text: string,
  {
    snapshot,
    versionOf,
    change,
  }: {
    snapshot?: number;
    versionOf?: (name: string) => number;
    change?: (reached: Reached) => Reached;
  } = {},
): Promise<unknown[]> {
  const at = snapshot ?? (await lake.snapshot());
  return await lake.lake.compute(defaultSettings, async (session) => {
    const reached = await reach(session, bareQuery(text), at);
    const mirror = await createMirror(session, {
      name: lake.lake.name,
      reached: change?.(reached) ?? reached,
      versionOf: (table) => versionOf?.(tableNameText(table)) ?? at,
    });
    const rows = await session.rows(raw(text));
    await mirror.drop();
    const left = await session.rows(raw("select 1 from duckdb_databases() where database_name = 'lake'"));
    expect(left).toEqual([]);
    return rows.map((row) => Object.values(row));
  });
}

test('a query runs untouched, with the lake by its public name, CTEs that hide tables, views and macros', async () => {
  await using lake = await aLake();
  await lake.run('create schema sales');
  await lake.run('create table orders(id int, amount int)');
  await lake.run('create table sales.orders(id int, amount int)');
  await lake.run('insert into orders values (1, 10), (2, 20)');
  await lake.run('insert into sales.orders values (7, 70)');
  await lake.run('create view sales.big(number) as select id from orders where amount > 15');
  await lake.run('create view bigger as select number + 1 as n from sales.big');
  await lake.run("create macro twice(x, suffix := 'it''s', factor := 2) as x * factor || suffix");
  await lake.run('create macro sales.least_of(x int) as table select min(id) as id from orders where id > x');
  await lake.run('create macro total() as (select sum(amount) from orders)');

  expect(await rowsIn(lake, 'select id, amount from lake.main.orders order by id')).toEqual([
    [1, 10],
    [2, 20],
  ]);
  expect(await rowsIn(lake, 'select * from lake.orders, sales.orders as s where orders.id = 1')).toEqual([
    [1, 10, 7, 70],
  ]);
  expect(await rowsIn(lake, 'with orders as (select 5 as id) select * from orders')).toEqual([[5]]);
  // A bare name in a view is looked for in the view's own schema first.
  expect(await rowsIn(lake, 'select * from sales.big')).toEqual([[7]]);
  expect(await rowsIn(lake, 'from bigger')).toEqual([[8]]);
  expect(await rowsIn(lake, 'select twice(id) from orders where id = 1')).toEqual([["2it's"]]);
  // A macro's text means what it means where it is called.
  expect(await rowsIn(lake, 'from sales.least_of(1)')).toEqual([[2]]);
  expect(await rowsIn(lake, 'select total()')).toEqual([[30]]);
});

test("a macro's default is the value that it was made with, whatever its text alone would mean", async () => {
  await using lake = await aLake();
  await lake.run(
    `create macro defaults(x, d := date '2020-01-01', t := timestamp '2020-01-01 10:00:00', n := 1.50, s := '1 + 1', b := 'a''b'::blob,
      neg := -5, yes := true, big := 9223372036854775808) as concat_ws(' ', x, d, t, n, s, b, neg, yes, big, typeof(d), typeof(n), typeof(big))`,
  );
  const query = "select defaults('x')";
  expect(await rowsIn(lake, query)).toEqual(await lake.rows(query));
});

test('a CTE by the name of a source is no source, and reads the source at its version', async () => {
  await using lake = await aLake();
  await lake.run('create table orders as select 1 as id');
  const snapshot = await lake.snapshot();
  await lake.run('insert into orders values (2)');
  // AT on a CTE's name is passed over in silence: a query must not be made older by putting AT into its text.
  const at = `from orders at (version => ${snapshot})`;
  expect(await lake.rows(`with orders as (from lake.main.orders) ${at}`)).toEqual([[1], [2]]);
  expect(await lake.rows(at)).toEqual([[1]]);

  expect(await rowsIn(lake, 'with orders as (from lake.main.orders) from orders', {snapshot})).toEqual([[1]]);
});

test('each source is read at its own version, with the columns that it had at creation', async () => {
  await using lake = await aLake();
  await lake.run('create table a(id int)');
  await lake.run('create table b(id int)');
  await lake.run('insert into a values (1)');
  await lake.run('insert into b values (1)');
  const early = await lake.snapshot();
  await lake.run('insert into a values (2)');
  await lake.run('insert into b values (2)');

  const counts = 'select (select count(*) from a), (select count(*) from b)';
  const versions = await lake.snapshot();
  expect(await rowsIn(lake, counts, {versionOf: (name) => (name === 'main.a' ? early : versions)})).toEqual([[1, 2]]);

  await lake.run('alter table a add column later int default 9');
  expect(await rowsIn(lake, 'select * from a where id = 1')).toEqual([[1, 9]]);
  const asCreated = (reached: Reached): Reached => ({
    ...reached,
    tables: reached.tables.map((table) => ({...table, columns: table.columns.filter(({name}) => name !== 'later')})),
  });
  expect(await rowsIn(lake, 'select * from a where id = 1', {change: asCreated})).toEqual([[1]]);
});

test('a query reaches the tables, views and macros that it leads to, as they were at the snapshot', async () => {
  await using lake = await aLake();
  await lake.run('create table orders(id int, amount int)');
  await lake.run('create table other(id int)');
  await lake.run('create view big as select * from orders');
  await lake.run('create macro twice(x) as x * 2');
  await lake.run('create macro four(x) as twice(twice(x))');
  const before = await lake.snapshot();
  await lake.run('create or replace view big as select id from other');

  const reached = async (text: string, snapshot: number): Promise<string> =>
    await lake.lake.look(async (session) => {
      const {tables, views, macros} = await reach(session, bareQuery(text), snapshot);
      const names = [
        ...tables.map(({table}) => table),
        ...views.map(({view}) => view),
        ...macros.map(({macro}) => macro),
      ];
      return names.map(({name}) => name).join(' ');
    });
  const text = 'select four(id) from BIG union select 1';
  expect(await reached(text, before)).toBe('orders big four twice');
  expect(await reached(text, await lake.snapshot())).toBe('other big four twice');
  expect(await reached('select id from (select 1 as id) as orders', before)).toBe('');
});
