import {expect, test} from 'vitest';
import {print} from '../../src/relation/print.ts';
import type {Names} from '../../src/relation/print.ts';
import type {Relation, Staged} from '../../src/relation/relation.ts';
import {identifier, sql} from '../../src/sql.ts';
import {aggregate, col, compare, constant, filter, join, project, scan} from '../delta/algebra.ts';

const names: Names = {
  scan: ({source}, alias) => sql`${identifier(source.name)} AS ${alias}`,
  mayBeNull: () => false,
};
const keys: Staged = {kind: 'staged', name: 'keys_1', columns: [{id: 9001, name: 'k', type: 'VARCHAR'}]};
const orders = () => scan('orders', {id: 'INTEGER', region: 'VARCHAR'});

/** Without the ids in names. */
function text(relation: Relation, given: Names = names): string {
  return print(relation, given).text.replace(/_\d+"/g, '"');
}

test('a line break in a text or in a name stays as it is, however deep it stands', () => {
  const odd = scan('orders', {'a\nb': 'VARCHAR'});
  const kept = filter(odd, compare(col(odd, 'a\nb'), '=', constant(`'x\n  y''z'`, 'VARCHAR')));
  const grouped = aggregate(kept, ['a\nb'], {n: {name: 'count_star', type: 'BIGINT'}});
  const nested = filter(grouped, compare(col(grouped, 'n'), '>', constant('1', 'BIGINT')));
  const printed = text(nested);
  expect(printed).toContain(`'x\n  y''z'`);
  expect(printed).toContain(`"orders"."a\nb"`);
  expect(printed).toContain('\n  FROM "orders"');
});

test('keys without nulls are compared by IN, which lets the lake skip files', () => {
  const base = orders();
  const restricted: Relation = {
    kind: 'restrict',
    input: base,
    keys,
    on: [{expression: col(base, 'region'), key: keys.columns[0]!}],
  };
  expect(text(restricted)).toContain('WHERE "orders"."region" IN (SELECT "k" FROM "keys"');
  const nullable = text(restricted, {...names, mayBeNull: () => true});
  expect(nullable).toContain('SEMI JOIN "keys" AS "keys" ON "orders"."region" IS NOT DISTINCT FROM "keys"."k"');
});

test('a filtered side of a join is a query of its own', () => {
  const [a, b] = [orders(), orders()];
  const kept = filter(b, compare(col(b, 'id'), '>', constant('1', 'INTEGER')));
  const printed = text(join(a, kept, compare(col(a, 'id'), '=', col(b, 'id'))));
  expect(printed).toMatch(/FROM "orders" AS "orders"\nINNER JOIN \(\n {2}SELECT/);
});

test('a constant key is no position', () => {
  const base = orders();
  const one = project(base, {one: constant('1', 'INTEGER')});
  const grouped = aggregate(one, ['one'], {n: {name: 'count_star', type: 'BIGINT'}});
  expect(text(grouped)).not.toMatch(/GROUP BY 1\b/);
});

test('an aggregate whose results nobody reads is one row still', () => {
  const total = aggregate(orders(), null, {});
  expect(text(project(total, {one: constant('1', 'INTEGER')}))).toContain('HAVING true');
});
