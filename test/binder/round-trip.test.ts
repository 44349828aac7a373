import {expect, test} from 'vitest';
import type {Bound} from '../../src/binder/bound.ts';
import {canonical} from '../../src/binder/canonical.ts';
import {roundTrip} from '../../src/binder/round-trip.ts';
import {bareQuery} from '../../src/definition/statement.ts';
import {mapParts, type Expression} from '../../src/relation/expression.ts';
import {mapInputs, type Relation} from '../../src/relation/relation.ts';
import {prune} from '../../src/relation/rewrite/prune.ts';
import {aLake, type TestLake} from '../support/lake.ts';
import {bind, bindIn} from './bound.ts';
import {createTables} from './queries.ts';

/** What the check says of a reading that was made wrong. */
async function checked(lake: TestLake, text: string, wrong: (relation: Relation) => Relation): Promise<string> {
  return await bindIn(lake, text, async (bound, session) => {
    if (bound.reading.kind === 'full') return 'already full';
    const changed: Bound = {...bound, reading: {kind: 'relation', relation: wrong(bound.reading.relation)}};
    const {reading} = await roundTrip(session, bareQuery(text), changed);
    return reading.kind === 'relation'
      ? 'passes'
      : reading.reasons.map((reason) => ('detail' in reason ? reason.detail : '')).join();
  });
}

/** The same relation with every expression changed. */
function withExpressions(relation: Relation, change: (expression: Expression) => Expression): Relation {
  const inner = mapInputs(relation, (input) => withExpressions(input, change));
  const deep = (expression: Expression): Expression => change(mapParts(expression, deep));
  if (inner.kind === 'filter') return {...inner, condition: deep(inner.condition)};
  if (inner.kind === 'project') {
    return {...inner, outputs: inner.outputs.map((output) => ({...output, expression: deep(output.expression)}))};
  }
  return inner;
}

test('a reading that is wrong is caught by the rows, one that does not print is caught by its plan', async () => {
  await using lake = await aLake();
  await createTables(lake);
  const text = 'select id + 1 as next, region from orders where customer > 1';

  expect(await checked(lake, text, (relation) => relation)).toBe('passes');
  const minus = (relation: Relation): Relation =>
    withExpressions(relation, (part) => (part.kind === 'call' && part.name === '+' ? {...part, name: '-'} : part));
  expect(await checked(lake, text, minus)).toMatch(/^printed, it gave \d+ other rows$/);
  const unfiltered = (relation: Relation): Relation =>
    relation.kind === 'filter' ? relation.input : mapInputs(relation, unfiltered);
  expect(await checked(lake, text, unfiltered)).toMatch(/^printed, it gave \d+ other rows$/);
  const unknown = (relation: Relation): Relation =>
    withExpressions(relation, (part) => (part.kind === 'call' ? {...part, name: 'no_such_function'} : part));
  expect(await checked(lake, text, unknown)).toMatch(/can not be bound/);
  const windowed = (relation: Relation): Relation =>
    withExpressions(relation, (part) =>
      part.kind === 'call'
        ? {
            ...part,
            name: 'date_part',
            arguments: [
              {kind: 'constant', sql: "['year']", type: 'VARCHAR[]'},
              {kind: 'constant', sql: "DATE '2024-01-01'", type: 'DATE'},
            ],
          }
        : part,
    );
  expect(await checked(lake, text, windowed)).toBe('printed and bound again, it has other operators');
});

test('a key that is selected twice is one key', async () => {
  await using lake = await aLake();
  await createTables(lake);
  const asRead = (relation: Relation): Relation => relation;
  for (const text of [
    'select distinct region, id, region as again from orders',
    'select n, count(*) from (select distinct id, region, id as n from orders) group by n',
    'select region, count(*), region as again, id, max(id) from orders group by region, id, region',
  ]) {
    expect(await checked(lake, text, asRead)).toBe('passes');
  }
  const swapped = (relation: Relation): Relation => {
    if (relation.kind !== 'aggregate') return mapInputs(relation, swapped);
    const [first, second, ...others] = relation.keys;
    if (first === undefined || second === undefined) return relation;
    const {expression} = first;
    return {...relation, keys: [{...first, expression: second.expression}, {...second, expression}, ...others]};
  };
  expect(await checked(lake, 'select distinct id, customer, id as again from orders', swapped)).toMatch(/other rows/);
});

test('relations are alike however their filters, joins and projections are nested, and no others', async () => {
  await using lake = await aLake();
  await createTables(lake);
  const of = async (text: string): Promise<string> => {
    const {reading} = await bind(lake, text);
    if (reading.kind === 'full') throw new Error(`${text} is full`);
    expect(canonical(prune(reading.relation))).toBe(canonical(reading.relation));
    return canonical(reading.relation);
  };
  const joined = await of('select o.id from orders o join customers c on o.customer = c.id where o.amount > 3');
  expect(
    await of(
      'select id from (select * from orders where amount > 3) o, (select id as i from customers) c where c.i = o.customer',
    ),
  ).toBe(joined);
  expect(await of('select o.id from orders o join customers c on o.customer = c.id where o.amount > 4')).not.toBe(
    joined,
  );
  expect(await of('select c.id from orders o join customers c on o.customer = c.id where o.amount > 3')).not.toBe(
    joined,
  );
  expect(await of('select o.id from customers c join orders o on o.customer = c.id where o.amount > 3')).not.toBe(
    joined,
  );
});
