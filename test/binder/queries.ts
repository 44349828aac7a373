import type {TestLake} from '../support/lake.ts';

/** The tables that the queries below read. */
export async function createTables(lake: TestLake): Promise<void> {
  await lake.run(`create table orders(id int, customer int, region varchar, amount decimal(12,2), weight double,
    tags varchar[], address struct(city varchar, zip int), placed timestamp, large bigint)`);
  await lake.run('create table customers(id int, region varchar, name varchar)');
  await lake.run(`insert into customers values (1, 'eu', 'a'), (2, 'us', null), (2, 'us', 'b'), (3, null, 'c')`);
  await lake.run(`insert into orders select i % 7, i % 4, case i % 3 when 0 then 'eu' when 1 then 'us' end, i * 1.25, i / 3.0,
    ['x', 'y' || i], {'city': 'c' || i % 2, 'zip': i}, timestamp '2024-01-01' + to_hours(i), i * 10000000000 from range(50) as t(i)`);
}

/** By what they show; each has its recorded plan in `plans/`. */
export const queries = {
  scan: 'select * from customers',
  filter: "select id from orders where region = 'eu' and amount between 1.5 and 99.5 and customer in (1, 2, 3)",
  'filter-on-nulls': 'select id from orders where region is null or customer is not null',
  'filter-on-times':
    "select id from orders where placed >= '2024-01-01 12:00:00.5' and placed::date < date '2024-02-01'",
  'filter-on-struct': "select id from orders where address.zip > 3 and tags = ['x', 'y1'] and region like 'e%'",
  projection: 'select id + 1 as next, amount * 2, -customer, region || $$!$$ as loud from orders',
  cast: "select id::varchar, try_cast(region as int), amount::decimal(5,1), '2024-01-01'::date, weight::float from orders",
  conditional:
    "select case when id > 3 then 'big' when id = 0 then null else region end, coalesce(region, '?'), nullif(id, 2) from orders",
  comparisons: 'select id between 1 and 3, id not in (1, 2), region is distinct from name from customers',
  nested: "select address.city, tags[1], {'a': id, 'b': [region]}, [id, 2], row(id) = row(1), len(tags) from orders",
  lambda:
    'select list_transform(tags, x -> x || region), list_filter(tags, (x, i) -> i > id), list_reduce(tags, (x, y) -> x || y) from orders',
  constants: `select 9007199254740993, 170141183460469231731687303715884105727, -1.50, 1e300, 'it''s', true, null,
    '\\xAA'::blob, uuid '00000000-0000-0000-0000-00000000000a', time '12:00:00.25'`,
  join: "select o.id, c.name from orders o join customers c on o.customer = c.id and o.id < c.id where c.region = 'eu'",
  'join-null-safe': 'select o.id from orders o join customers c on o.region is not distinct from c.region',
  'join-any': 'select o.id from orders o join customers c on o.customer = c.id or o.region = c.region',
  'self-join': 'select a.id, b.id from orders a, orders b where a.customer = b.customer and a.id < b.id',
  'cross-join': 'select o.id, c.id from orders o, customers c',
  aggregate: `select region, count(*) as n, count(distinct customer), sum(amount) filter (where id > 1) as total,
    avg(id), median(id), quantile_disc(id, [0.1, 0.9]), string_agg(region, ';' order by region) from orders group by region`,
  'aggregate-of-all': 'select count(*), max(placed) from orders',
  having: 'select region from orders group by region having count(*) > 3',
  'group-by-expression':
    "select date_trunc('month', placed) as month, upper(region), count(*) from orders group by all",
  distinct: 'select distinct region, customer from orders',
  'union-all': 'select id, region from orders union all select id, name from customers',
  union: 'select id from orders union select id from customers',
  cte: 'with big as (select * from orders where amount > 10) select a.id from big a join big b on a.id = b.customer',
  values: "select * from (values (1, 'a'), (2, null)) as v(i, name) join customers on i = id",
  'scalar-subquery': 'select id, (select max(id) from customers) as latest from orders',
  'list-distinct': 'select region, list(distinct customer order by customer) from orders group by region',
  'order-by': 'select id from orders order by amount desc nulls last',
  pivot: "pivot orders on region in ('eu', 'us') using sum(id) group by customer",
  empty: 'select id from orders where false',
} as const;
