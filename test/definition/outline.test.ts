import {expect, test} from 'vitest';
import {outline} from '../../src/definition/outline.ts';

const names = (query: string) => outline(query)?.map(({schema, name}) => `${schema}.${name}`);

test('what a query reads is outlined through joins, subqueries and CTEs', () => {
  expect(
    names(`with a as (select * from t1) select * from a join s.t2 b on a.x = b.x
           where y in (select z from lake.sales."T3")`),
  ).toEqual(['main.t1', 's.t2', 'sales.T3']);
});

test('a CTE hides a table only where it is in scope', () => {
  expect(names('with a as (select * from a) select * from a')).toEqual(['main.a']);
  expect(names('with recursive a as (select * from b union all select * from a) select * from a')).toEqual(['main.b']);
  expect(names('select * from (with q as (select * from w) select * from q) z, q')).toEqual(['main.q', 'main.w']);
});

test('what the parser does not speak is unknown, never an error', () => {
  expect(outline('from t')).toBeNull();
  expect(outline('select x from t group by all')).toBeNull();
  expect(outline('drop table t')).toBeNull();
  expect(outline('select 1; select 2')).toBeNull();
});
