import {expect, test} from 'vitest';
import {aggregate, col, compare, constant, filter, join, project, scan, unionAll} from './algebra.ts';
import type {Relation} from '../../src/relation/relation.ts';
import {evaluate} from './evaluate.ts';

const ordersSql = `SELECT * FROM (VALUES (1, 'eu', 10), (2, 'us', 5), (2, 'us', 5), (3, NULL, 7), (4, 'eu', NULL), (5, 'asia', 1)) AS t(id, region, amount)`;
const regionsSql = `SELECT * FROM (VALUES ('eu', 'Europe'), ('us', 'America'), ('us', 'States'), (NULL, 'Nowhere')) AS t(region, label)`;
const tables = {orders: ordersSql, regions: regionsSql};
const changes = [
  `INSERT INTO new.orders VALUES (6, 'eu', 3), (7, NULL, 2), (2, 'us', 5), (8, 'mars', 8)`,
  `DELETE FROM new.orders WHERE id = 5`,
  `UPDATE new.orders SET region = 'us' WHERE id = 1`,
  `UPDATE new.orders SET region = NULL WHERE id = 4`,
  `UPDATE new.regions SET label = 'EU' WHERE region = 'eu'`,
  `INSERT INTO new.regions VALUES ('mars', 'Mars')`,
  `DELETE FROM new.regions WHERE label = 'States'`,
];
/** As a table is refreshed that keeps nothing of its groups to merge into. */
const recomputing = async (query: Relation, changed = changes) =>
  await evaluate(query, tables, changed, (program) => program, 'none');
const orders = () => scan('orders', {id: 'INTEGER', region: 'VARCHAR', amount: 'INTEGER'});
const regions = () => scan('regions', {region: 'VARCHAR', label: 'VARCHAR'});
const total = (input: ReturnType<typeof orders>) => ({
  total: {name: 'sum', of: col(input, 'amount'), type: 'HUGEINT'},
  n: {name: 'count_star', type: 'BIGINT'},
});

test('a projection of a filter takes rows away copy by copy', async () => {
  const base = orders();
  const query = project(filter(base, compare(col(base, 'amount'), '>', constant('2', 'INTEGER'))), {
    region: col(base, 'region'),
  });
  const {differences, program} = await evaluate(query, tables, changes);
  expect(differences).toEqual([]);
  expect(program.root.kind).toBe('rows');
  expect(program.recomputed).toBe('none');
});

test('a join of three with itself in it counts changes that meet once', async () => {
  const [a, b, c] = [orders(), regions(), orders()];
  const ab = join(a, b, compare(col(a, 'region'), '=', col(b, 'region')));
  const query = join(ab, c, compare(col(c, 'region'), '=', col(a, 'region')));
  const {differences, program} = await evaluate(query, tables, changes);
  expect(differences).toEqual([]);
  expect(program.recomputed).toBe('none');
});

test('a cross product changes with both sides', async () => {
  const {differences} = await evaluate(join(orders(), regions()), tables, changes);
  expect(differences).toEqual([]);
});

test('groups come, go, and take over moved rows, the null group among them', async () => {
  const base = orders();
  const {differences, program, deleted, inserted} = await recomputing(aggregate(base, ['region'], total(base)));
  expect(differences).toEqual([]);
  expect(program.root.kind).toBe('keys');
  expect({deleted, inserted}).toEqual({deleted: 4, inserted: 4});
});

test('composite keys with nulls are told apart', async () => {
  const base = orders();
  const {differences} = await evaluate(aggregate(base, ['region', 'id'], total(base)), tables, changes);
  expect(differences).toEqual([]);
});

test('HAVING takes away a group that no longer passes', async () => {
  const base = orders();
  const grouped = aggregate(base, ['region'], total(base));
  const query = filter(grouped, compare(col(grouped, 'n'), '>', constant('1', 'BIGINT')));
  const {differences, program} = await recomputing(query);
  expect(differences).toEqual([]);
  expect(program.root.kind).toBe('keys');
});

test('a hidden key is applied row by row', async () => {
  const base = orders();
  const grouped = aggregate(base, ['region'], total(base));
  const {differences, program} = await evaluate(project(grouped, {n: col(grouped, 'n')}), tables, changes);
  expect(differences).toEqual([]);
  expect(program.root.kind).toBe('rows');
});

test('an aggregate without GROUP BY is one row also over no rows', async () => {
  const base = orders();
  const {differences, program} = await recomputing(aggregate(base, null, total(base)), ['DELETE FROM new.orders']);
  expect(differences).toEqual([]);
  expect(program.recomputed).toBe('all');
});

test('DISTINCT keeps a row as long as one copy is left', async () => {
  const base = orders();
  const {differences} = await evaluate(
    aggregate(project(base, {region: col(base, 'region')}), ['region'], {}),
    tables,
    changes,
  );
  expect(differences).toEqual([]);
});

test('UNION ALL of an aggregate and a scan changes by both', async () => {
  const base = orders();
  const grouped = aggregate(base, ['region'], total(base));
  const other = regions();
  const query = unionAll(
    project(grouped, {region: col(grouped, 'region')}),
    project(other, {region: col(other, 'region')}),
  );
  const {differences} = await evaluate(query, tables, changes);
  expect(differences).toEqual([]);
});

test('an aggregate over a join is restricted at the scans of both sides', async () => {
  const [a, b] = [orders(), regions()];
  const joined = join(a, b, compare(col(a, 'region'), '=', col(b, 'region')));
  const query = aggregate(joined, ['region'], {total: {name: 'sum', of: col(a, 'amount'), type: 'HUGEINT'}});
  const {differences, program} = await recomputing(query);
  expect(differences).toEqual([]);
  expect(program.steps[0]?.reads.map(({kind}) => kind)).toEqual(['restrict', 'restrict']);
});

test('an aggregate of an aggregate, joined with the table it came from', async () => {
  const [a, b] = [orders(), orders()];
  const perRegion = aggregate(a, ['region'], total(a));
  const joined = join(b, perRegion, compare(col(b, 'region'), '=', col(perRegion, 'region')));
  const query = aggregate(joined, ['n'], {rows: {name: 'count_star', type: 'BIGINT'}});
  const {differences, program} = await recomputing(query);
  expect(differences).toEqual([]);
  // Groups of n can't be told from orders without counting them all.
  expect(program.recomputed).toBe('all');
});

test('an expression over a key is pushed below the filter that guards it', async () => {
  const base = scan('texts', {t: 'VARCHAR'});
  const digits = filter(base, {
    kind: 'call',
    name: 'regexp_full_match',
    arguments: [col(base, 't'), constant(`'[0-9]+'`, 'VARCHAR')],
    type: 'BOOLEAN',
  });
  const cast = project(digits, {n: {kind: 'cast', input: col(base, 't'), tries: false, type: 'INTEGER'}});
  const query = aggregate(cast, ['n'], {rows: {name: 'count_star', type: 'BIGINT'}});
  const texts = {texts: `SELECT * FROM (VALUES ('1'), ('x'), ('2')) AS t(t)`};
  const {differences} = await evaluate(query, texts, [`INSERT INTO new.texts VALUES ('1'), ('y'), (NULL)`]);
  expect(differences).toEqual([]);
});
