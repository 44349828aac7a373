import type {Draws} from './draws.ts';
import {aggregate, expression, predicate, type Scope, type Typed} from './expressions.ts';
import type {Column} from './kinds.ts';

/** What a query can read: a table, a view, a CTE, an upstream dynamic table, a subquery in brackets. */
export type Source = {readonly sql: string; readonly columns: readonly Column[]};

/** A SELECT and what it gives, under names of their own. */
export type Query = {readonly sql: string; readonly columns: readonly Column[]};

type Shape = (draws: Draws, sources: readonly Source[], depth: number) => Query;

/** A query over the operators that have an incremental rule, with a few that have none among them. */
export function query(draws: Draws, sources: readonly Source[], depth: number): Query {
  return draws.weighted(depth === 0 ? shallow : shapes)(draws, sources, depth);
}

const shallow: readonly (readonly [number, Shape])[] = [
  [5, projected],
  [6, grouped],
  [2, distinct],
  [2, total],
];

const shapes: readonly (readonly [number, Shape])[] = [
  ...shallow.map(([weight, shape]) => [2 * weight, shape] as const),
  [9, union],
  [4, withCte],
  [2, withStar],
  [1, withoutRule],
];

function projected(draws: Draws, sources: readonly Source[], depth: number): Query {
  const {from, ...reach} = fromClause(draws, sources, depth);
  const {scope} = reach;
  const beside = draws.chance(8) ? [oneValue(draws, sources)] : [];
  return select(from, [...outputs(draws, scope), ...beside], where(draws, reach, sources));
}

function distinct(draws: Draws, sources: readonly Source[], depth: number): Query {
  const {from, ...reach} = fromClause(draws, sources, depth);
  const {scope} = reach;
  return select(from, keys(draws, scope), where(draws, reach, sources), 'DISTINCT ');
}

/** An aggregate without keys: one row, always. */
function total(draws: Draws, sources: readonly Source[], depth: number): Query {
  const {from, ...reach} = fromClause(draws, sources, depth);
  const {scope} = reach;
  const having = draws.chance(10) ? `\nHAVING ${havingCondition(draws, scope)}` : '';
  return select(
    from,
    draws.many(1, 3, () => aggregate(draws, scope)),
    where(draws, reach, sources) + having,
  );
}

/** Keys may be missing from what is selected, and stand anywhere in it. */
function grouped(draws: Draws, sources: readonly Source[], depth: number): Query {
  const {from, ...reach} = fromClause(draws, sources, depth);
  const {scope} = reach;
  const groups = keys(draws, scope);
  const shown = draws.chance(12) ? groups.slice(1) : groups;
  const aggregates = draws.many(1, 3, () => aggregate(draws, scope));
  const having = draws.chance(30) ? `\nHAVING ${havingCondition(draws, scope)}` : '';
  const selected = draws.chance(30) ? [...aggregates, ...shown] : [...shown, ...aggregates];
  const by = shown.length < groups.length ? groups.map(({sql}) => sql).join(', ') : groupBy(draws, groups, selected);
  return select(from, selected, `${where(draws, reach, sources)}\nGROUP BY ${by}${having}`);
}

/** The ways to say it where all keys are selected. */
function groupBy(draws: Draws, groups: readonly Typed[], selected: readonly Typed[]): string {
  return draws.weighted([
    [8, () => groups.map(({sql}) => sql).join(', ')],
    [1, () => 'ALL'],
    [1, () => groups.map((key) => selected.indexOf(key) + 1).join(', ')],
  ])();
}

function havingCondition(draws: Draws, scope: Scope): string {
  return draws.one([
    () => 'count(*) > 1',
    () => `count(DISTINCT ${draws.one(scope).sql}) < 2`,
    () => `sum(${expression(draws, 'int', scope)}) > 1`,
    () => `max(${expression(draws, 'int', scope)}) IS NOT NULL`,
    () => `sum(${expression(draws, 'decimal', scope)}) BETWEEN 0 AND 5`,
    () => `count(*) FILTER (WHERE ${predicate(draws, scope, 0)}) > 0 OR ${aggregate(draws, scope).sql} IS NULL`,
  ])();
}

/** The parts agree in the kinds of their columns; names come from the first. */
function union(draws: Draws, sources: readonly Source[], depth: number): Query {
  const first = query(draws, sources, depth - 1);
  const others = draws.many(1, 2, () => {
    const {from, ...reach} = fromClause(draws, sources, depth - 1);
    const {scope} = reach;
    return select(
      from,
      first.columns.map(({kind}) => ({sql: expression(draws, kind, scope), kind})),
      where(draws, reach, sources),
    );
  });
  const word = draws.weighted([
    [4, 'UNION ALL'],
    [1, 'UNION'],
  ]);
  const all = {sql: [first, ...others].map(({sql}) => bracketed(sql)).join(`\n${word}\n`), columns: first.columns};
  return draws.chance(40) ? grouped(draws, [{sql: `(${all.sql})`, columns: all.columns}], 0) : all;
}

/** A CTE that is read twice, or beside the tables it was made from. */
function withCte(draws: Draws, sources: readonly Source[], depth: number): Query {
  const inner = query(draws, sources, depth - 1);
  const cte = {sql: 'c', columns: inner.columns};
  const outer = draws.weighted<Shape>([
    [2, grouped],
    [1, projected],
    [1, total],
  ])(draws, [cte, cte, draws.one(sources)], 0);
  return {sql: `WITH c AS (${inner.sql})\n${outer.sql}`, columns: outer.columns};
}

/** Columns that nobody names, and others beside or in the place of them. */
function withStar(draws: Draws, sources: readonly Source[], depth: number): Query {
  const inner = query(draws, sources, depth - 1);
  const [first] = inner.columns;
  const sql = draws.one([
    () => `SELECT * FROM (${inner.sql}) AS q`,
    () => `SELECT q.* REPLACE (q.${first?.name} AS ${first?.name}) FROM (${inner.sql}) AS q`,
    () => `FROM (${inner.sql}) AS q`,
    () => `SELECT * FROM (SELECT DISTINCT * FROM (${inner.sql}) AS q) AS p`,
  ])();
  return {sql, columns: inner.columns};
}

/** Operators without a rule, which take FULL: as many as it needs to see that they do. */
function withoutRule(draws: Draws, sources: readonly Source[], depth: number): Query {
  const inner = query(draws, sources, depth - 1);
  const name = inner.columns[0]?.name ?? 'c0';
  const sql = draws.one([
    () => `SELECT * FROM (${inner.sql}) AS q WHERE q.${name} IN (SELECT p.${name} FROM (${inner.sql}) AS p)`,
    () => `SELECT q.* FROM (${inner.sql}) AS q LEFT JOIN (${inner.sql}) AS p ON q.${name} = p.${name}`,
    () => `(${inner.sql}) ${draws.one(['EXCEPT', 'INTERSECT ALL'])} (SELECT * FROM (${inner.sql}) LIMIT 0)`,
    () =>
      `SELECT * FROM (${inner.sql}) AS q WHERE EXISTS (SELECT 1 FROM (${inner.sql}) AS p WHERE p.${name} = q.${name})`,
    () => `SELECT * FROM (${inner.sql}) AS q QUALIFY count(*) OVER (PARTITION BY q.${name}) = 1`,
  ])();
  return {sql, columns: inner.columns};
}

function select(from: string, selected: readonly Typed[], clauses: string, modifier = ''): Query {
  const columns = selected.map(({kind}, i) => ({name: `c${i}`, kind}));
  const list = selected.map(({sql}, i) => `${sql} AS c${i}`).join(', ');
  return {sql: `SELECT ${modifier}${list}\nFROM ${from}${clauses}`, columns};
}

function outputs(draws: Draws, scope: Scope): readonly Typed[] {
  return draws.many(1, 4, () => key(draws, scope));
}

/** One value of a whole table, beside every row. */
function oneValue(draws: Draws, sources: readonly Source[]): Typed {
  const read = draws.one(sources);
  const value = aggregate(
    draws,
    read.columns.map(({name, kind}) => ({sql: `s.${name}`, kind})),
  );
  return {sql: `(SELECT ${value.sql} FROM ${read.sql} AS s)`, kind: value.kind};
}

function keys(draws: Draws, scope: Scope): readonly Typed[] {
  return draws.many(1, 3, () => key(draws, scope));
}

/** A column, or something computed from one: GROUP BY takes a bare number for a position. */
function key(draws: Draws, scope: Scope): Typed {
  const plain = draws.one(scope);
  if (!draws.chance(30)) return plain;
  const computed = expression(draws, plain.kind, scope, 1);
  return computed.includes('.') && computed.includes('(') ? {sql: computed, kind: plain.kind} : plain;
}

function where(draws: Draws, {scope, conditions: joins}: Omit<From, 'from'>, sources: readonly Source[]): string {
  const conditions = [
    ...joins,
    ...(draws.chance(35) ? [predicate(draws, scope)] : []),
    ...(draws.chance(10) ? [againstOneValue(draws, scope, sources)] : []),
  ];
  return conditions.length === 0 ? '' : `\nWHERE ${conditions.join(' AND ')}`;
}

/** A comparison with a scalar subquery: one value, which moves when its table does. */
function againstOneValue(draws: Draws, scope: Scope, sources: readonly Source[]): string {
  const {sql, kind} = draws.one(scope);
  const read = draws.one(sources);
  const fitting = read.columns.find((column) => column.kind === kind);
  if (fitting === undefined) return predicate(draws, scope);
  const value = `${draws.one(['max', 'min'])}(s.${fitting.name})`;
  return `${sql} ${draws.one(['<=', '<>', '>'])} (SELECT ${value} FROM ${read.sql} AS s)`;
}

type From = {
  readonly from: string;
  readonly scope: Scope;
  /** What the old way to join, with commas, has in WHERE. */
  readonly conditions: readonly string[];
};

/** One to four sources side by side; the same one may come again. */
function fromClause(draws: Draws, sources: readonly Source[], depth: number): From {
  const withCommas = draws.chance(20);
  let from = '';
  let scope: Scope = [];
  const conditions: string[] = [];
  draws.many(
    1,
    4,
    (i) => {
      const alias = 'abcd'.charAt(i);
      const read = source(draws, sources, depth);
      const added = read.columns.map(({name, kind}) => ({sql: `${alias}.${name}`, kind}));
      const on = i === 0 ? null : joined(draws, scope, added, i);
      const item = `${read.sql} AS ${alias}`;
      if (i === 0) from = item;
      else if (withCommas) from = `${from}, ${item}`;
      else from = on === null ? `${from}\nCROSS JOIN ${item}` : `${from}\nJOIN ${item} ON ${on}`;
      if (withCommas && on !== null) conditions.push(on);
      scope = [...scope, ...added];
    },
    50,
  );
  return {from, scope, conditions};
}

function source(draws: Draws, sources: readonly Source[], depth: number): Source {
  if (depth === 0 || !draws.chance(35)) return draws.one(sources);
  const inner = draws.one([grouped, distinct, projected, total])(draws, sources, depth - 1);
  return {sql: `(${inner.sql})`, columns: inner.columns};
}

/** Mostly an equality, for rows multiply without one: a cross join is only ever the first. */
function joined(draws: Draws, before: Scope, added: Scope, i: number): string | null {
  const pairs = before.flatMap((left) =>
    added.filter(({kind}) => kind === left.kind).map((other) => [left.sql, other.sql] as const),
  );
  if (pairs.length === 0 || (i === 1 && draws.chance(8))) return null;
  const [left, other] = draws.chance(50)
    ? draws.one(pairs)
    : (pairs.find(([a, b]) => a.endsWith('.k') && b.endsWith('.k')) ?? draws.one(pairs));
  const equality = draws.weighted([
    [6, `${left} = ${other}`],
    [1, `${left} IS NOT DISTINCT FROM ${other}`],
  ]);
  const more = draws.weighted([
    [16, () => ''],
    [3, () => ` AND ${predicate(draws, [...before, ...added], 0)}`],
    [2, () => ` AND ${draws.one(pairs).join(' = ')}`],
    [1, () => ` AND ${draws.one(pairs).join(' >= ')}`],
  ])();
  return `${equality}${more}`;
}

function bracketed(sql: string): string {
  return sql.startsWith('WITH') ? `(${sql})` : sql;
}
