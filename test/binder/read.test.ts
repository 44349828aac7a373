import {readdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import {describe as suite, expect, test} from 'vitest';
import type {Reading} from '../../src/binder/bound.ts';
import {isObject, listOf, objectsOf, parseJson, type Json, type JsonObject} from '../../src/binder/json.ts';
import {planOf} from '../../src/binder/plan.ts';
import {readPlan} from '../../src/binder/read-plan.ts';
import {roundTrip} from '../../src/binder/round-trip.ts';
import {bareQuery} from '../../src/definition/statement.ts';
import {reasonText} from '../../src/delta/reason.ts';
import {describe} from '../../src/relation/describe.ts';
import {prune} from '../../src/relation/rewrite/prune.ts';
import {aLake} from '../support/lake.ts';
import {bind, bindIn} from './bound.ts';
import {createTables, queries} from './queries.ts';

const plans = path.join(import.meta.dirname, 'plans');

suite('plans', () => {
  test('are what they were when they were recorded, and what is read of them binds to the same relation and rows', async () => {
    await using lake = await aLake();
    await createTables(lake);
    const kinds: Record<string, string> = {};
    for (const [name, text] of Object.entries(queries)) {
      await bindIn(lake, text, async (bound, session) => {
        const {plans: found} = await planOf(session, text, {optimize: true});
        await expect(`${JSON.stringify(recorded(found), null, 1)}\n`).toMatchFileSnapshot(
          path.join(plans, `${name}.plan`),
        );
        kinds[name] = (await roundTrip(session, bareQuery(text), bound)).reading.kind;
      });
    }
    expect(kinds).toEqual(Object.fromEntries(Object.keys(queries).map((name) => [name, 'relation'])));
  });

  test.each(Object.entries(queries))('%s is read as its relation', async (name, text) => {
    const reading = readPlan(await recordedPlan(name));
    await expect(`-- ${text}\n${textOf(reading)}\n`).toMatchFileSnapshot(path.join(plans, `${name}.txt`));
  });

  test('with an unknown key at any node are declined', async () => {
    const missed: string[] = [];
    for (const file of (await readdir(plans)).filter((each) => each.endsWith('.plan'))) {
      const plan = await recordedPlan(path.basename(file, '.plan'));
      for (const changed of withOneKeyMore(plan)) {
        if (readPlan(changed).kind === 'relation') missed.push(`${file}: ${JSON.stringify(changed).slice(0, 300)}`);
      }
    }
    expect(missed).toEqual([]);
  });
});

suite('reasons', () => {
  test('name each construct that has no rule, all of them, with the rewrite that helps', async () => {
    await using lake = await aLake();
    await createTables(lake);
    const reasons = async (text: string): Promise<readonly string[]> => {
      const {reading} = await bind(lake, text);
      return reading.kind === 'full' ? reading.reasons.map(reasonText) : ['none'];
    };
    const construct = (name: string, rewrite?: string): string =>
      `${name} has no incremental rule${rewrite === undefined ? '' : `; ${rewrite}`}`;
    const choice = (name: string, rewrite: string): string =>
      `${name} leaves a free choice, and a second evaluation may choose differently; ${rewrite}`;
    const byOwn = 'order it by its own argument, as in list(x ORDER BY x)';
    const keys = 'join the distinct keys of the subquery instead';
    const cases: Record<string, readonly string[]> = {
      'select o.id, c.id from orders o left join customers c on o.customer = c.id': [construct('a LEFT JOIN')],
      'select o.id, c.id from orders o right join customers c on o.customer = c.id': [construct('a RIGHT JOIN')],
      'select o.id, c.id from orders o full join customers c on o.customer = c.id': [construct('a FULL JOIN')],
      'select id from orders where customer in (select id from customers)': [
        construct('IN or EXISTS with a subquery (a semi-join)', keys),
      ],
      'select id from orders anti join customers using (id)': [
        construct('NOT IN or NOT EXISTS with a subquery (an anti-join)'),
      ],
      'select id from orders where customer not in (select id from customers)': [
        construct('IN, NOT IN or ANY with a subquery'),
      ],
      'select id, (select count(*) from customers c where c.id = o.customer) from orders o': [
        construct('a correlated subquery', 'join an aggregate with GROUP BY instead'),
      ],
      'select id from orders where exists (select id from customers where id > 2)': [
        construct(
          'EXISTS or NOT EXISTS with a subquery',
          'compare its count with 0 instead, as in (SELECT count(*) FROM …) > 0',
        ),
      ],
      'select id, not exists (select o.id from orders o left join customers c on o.customer = c.id) as e from orders': [
        construct(
          'EXISTS or NOT EXISTS with a subquery',
          'compare its count with 0 instead, as in (SELECT count(*) FROM …) > 0',
        ),
        construct('a LEFT JOIN'),
      ],
      'select id from orders where (select count(*) from (select id from customers limit 1)) = 1': [construct('LIMIT')],
      'select o.id from orders o asof join customers c on o.id >= c.id': [construct('an ASOF JOIN')],
      'select o.id from orders o positional join customers c': [construct('a POSITIONAL JOIN')],
      'select id, row_number() over (order by id), sum(id) over () from orders': [
        construct('a window function (row_number)'),
        construct('a window function (sum)'),
      ],
      'select id from orders order by id limit 3': [construct('LIMIT')],
      'select id from orders except select id from customers': [construct('EXCEPT')],
      'select id from orders intersect all select id from customers': [construct('INTERSECT')],
      'with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select * from r': [
        construct('a recursive CTE'),
      ],
      'select id, unnest(tags) from orders': [construct('unnest or UNPIVOT')],
      'select id, t from orders o, unnest(o.tags) as u(t)': [construct('unnest of a column in FROM')],
      'select * from range(5)': [construct('the table function range')],
      'select * from customers using sample 10%': [construct('a sample')],
      'select region, sum(id) from orders group by rollup (region)': [construct('GROUPING SETS, ROLLUP or CUBE')],
      "select count(*) from orders group by placed - timestamp '2024-01-01'": [
        'GROUP BY under a collation or over an INTERVAL leaves a free choice, and a second evaluation may choose differently',
      ],
      'select distinct region collate nocase from orders': [
        construct('DISTINCT under a collation or over an INTERVAL'),
      ],
      "select region from orders where 'POINT(0 0)'::geometry = ('POINT(' || id || ' 0)')::geometry": [
        construct('the type GEOMETRY'),
        construct('a constant of type GEOMETRY'),
      ],
      'select alias(id) from orders': [construct('the function alias')],
      "select date_part(['year', 'month'], placed) from orders": [construct('the function date_part')],
      'select distinct on (region) region, id from orders': [choice('DISTINCT ON', 'use GROUP BY with min or max')],
      'select first(id), any_value(region) from orders': [
        choice('first without a total order', 'use min or max'),
        choice('any_value without a total order', 'use min or max'),
      ],
      'select list(id), string_agg(region, $$,$$ order by id) from orders': [
        choice('list without a total order', byOwn),
        choice('string_agg without a total order', 'add its own argument to its ORDER BY'),
      ],
      'select arg_max(region, id) from orders': [
        choice('arg_max among ties', 'take the largest struct, as in max({by: v, arg: x}).arg'),
      ],
      'with w as (select region, sum(weight) as w from orders group by 1) select * from w a join w b on a.w = b.w': [
        'an aggregate over floats in the CTE "w", which is read more than once, depends on the order of rows in its last bits',
      ],
      'select first(id) from (select o.id from orders o left join customers c on o.customer = c.id limit 3)': [
        construct('LIMIT'),
        construct('a LEFT JOIN'),
        choice('first without a total order', 'use min or max'),
      ],
    };
    const found: Record<string, readonly string[]> = {};
    for (const text of Object.keys(cases)) found[text] = [...(await reasons(text))].toSorted();
    expect(found).toEqual(
      Object.fromEntries(Object.entries(cases).map(([text, expected]) => [text, [...expected].toSorted()])),
    );
  });
});

function textOf(reading: Reading): string {
  if (reading.kind === 'full') return reading.reasons.map(reasonText).join('\n');
  return describe(prune(reading.relation));
}

async function recordedPlan(name: string): Promise<JsonObject> {
  const [plan] = objectsOf(parseJson(await readFile(path.join(plans, `${name}.plan`), 'utf8')));
  if (plan === undefined) throw new Error(`${name} has no plan`);
  return plan;
}

/** Without what says when and where it was bound. */
function recorded(json: Json | undefined): Json {
  if (Array.isArray(json)) return (json as readonly Json[]).map(recorded);
  if (!isObject(json)) return json ?? null;
  const kept = Object.entries(json).filter(([key]) => key !== 'query_location');
  return Object.fromEntries(kept.map(([key, value]) => [key, key === 'snapshot' ? {} : recorded(value)]));
}

/** The same plan once for each operator, expression and filter in it, with a key that nobody knows. */
function withOneKeyMore(json: JsonObject): JsonObject[] {
  const isNode =
    ['expression_class', 'filter_type'].some((key) => key in json) || String(json['type']).startsWith('LOGICAL_');
  const here = isNode && json['type'] !== 'LOGICAL_DUMMY_SCAN' ? [{...json, novelty: 1}] : [];
  // The terms of an ORDER BY are passed over: they say nothing about a multiset.
  const parts = Object.entries(json).filter(([key]) => !(key === 'orders' && json['type'] === 'LOGICAL_ORDER_BY'));
  const below = parts.flatMap(([key, value]) => changedParts(value).map((part) => ({...json, [key]: part})));
  return [...here, ...below];
}

function changedParts(value: Json | undefined): Json[] {
  if (isObject(value)) return withOneKeyMore(value);
  return listOf(value).flatMap((part, i) => changedParts(part).map((changed) => listOf(value).with(i, changed)));
}
