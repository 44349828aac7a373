import type {Draws} from './draws.ts';
import {constant, type Kind} from './kinds.ts';

/** Columns in reach of an expression, as they are written there (`a.k`). */
export type Scope = readonly Typed[];

/** SQL and the kind of what it gives. */
export type Typed = {readonly sql: string; readonly kind: Kind};

/** An expression of the kind over the columns in reach; a constant where there is no such column. */
export function expression(draws: Draws, kind: Kind, scope: Scope, depth = 1): string {
  const leaf = (): string => column(draws, kind, scope) ?? constant(draws, kind);
  if (depth === 0 || !draws.chance(35)) return leaf();
  const part = (of: Kind): string => expression(draws, of, scope, depth - 1);
  switch (draws.below(4)) {
    case 0:
      return constant(draws, kind);
    case 1:
      return `coalesce(${part(kind)}, ${constant(draws, kind)})`;
    case 2:
      return `case when ${predicate(draws, scope, 0)} then ${part(kind)} else ${part(kind)} end`;
    default:
      return draws.one(own[kind])(part);
  }
}

/** What only values of the kind can do. */
const own: Readonly<Record<Kind, readonly ((part: (kind: Kind) => string) => string)[]>> = {
  int: [
    (part) => `(${part('int')} + ${part('int')})`,
    (part) => `(${part('int')} % 2)`,
    (part) => `length(${part('text')})`,
    (part) => `year(${part('date')})`,
    (part) => `nullif(${part('int')}, 1)`,
  ],
  text: [
    (part) => `upper(${part('text')})`,
    (part) => `(${part('text')} || 'x')`,
    (part) => `substr(${part('text')}, 1, 1)`,
    (part) => `CAST(${part('int')} AS VARCHAR)`,
  ],
  decimal: [
    (part) => `(${part('decimal')} + ${part('decimal')})`,
    (part) => `(${part('decimal')} * 2)`,
    (part) => `CAST(${part('int')} AS DECIMAL(12,2))`,
  ],
  date: [(part) => `(${part('date')} + 1)`, (part) => `date_trunc('month', ${part('date')})::DATE`],
  bool: [(part) => `(${part('int')} > 1)`, (part) => `(NOT ${part('bool')})`, (part) => `(${part('text')} IS NULL)`],
  double: [
    (part) => `(${part('double')} * 2)`,
    (part) => `(- ${part('double')})`,
    (part) => `(${part('double')} + ${part('int')})`,
    (part) => `CAST(${part('int')} AS DOUBLE)`,
  ],
};

/** A condition over the columns in reach. */
export function predicate(draws: Draws, scope: Scope, depth = 1): string {
  if (depth > 0 && draws.chance(30)) {
    const word = draws.one(['AND', 'OR']);
    return `(${predicate(draws, scope, depth - 1)} ${word} ${predicate(draws, scope, depth - 1)})`;
  }
  const kind = anyKind(draws, scope);
  const left = column(draws, kind, scope) ?? constant(draws, kind);
  switch (draws.below(7)) {
    case 0:
      return `${left} ${draws.one(['=', '<>', '<', '>='])} ${constant(draws, kind)}`;
    case 1:
      return `${left} IS NOT NULL`;
    case 2:
      return `${left} IS NULL`;
    case 3:
      return `${left} IN (${constant(draws, kind)}, ${constant(draws, kind)})`;
    case 4:
      return `${left} IS DISTINCT FROM ${column(draws, kind, scope) ?? constant(draws, kind)}`;
    case 5:
      return kind === 'text'
        ? `${left} LIKE '${draws.one(['a%', '%b%', ''])}'`
        : `${left} <= ${expression(draws, kind, scope, 1)}`;
    default:
      return `NOT (${left} = ${constant(draws, kind)})`;
  }
}

/** An aggregate over the columns in reach. */
export function aggregate(draws: Draws, scope: Scope): Typed {
  const plain = draws.weighted(aggregates)(draws, scope);
  return draws.chance(12) && !plain.sql.includes('ORDER BY')
    ? {...plain, sql: `${plain.sql} FILTER (WHERE ${predicate(draws, scope, 0)})`}
    : plain;
}

const aggregates: readonly (readonly [number, (draws: Draws, scope: Scope) => Typed])[] = [
  [4, () => ({sql: 'count(*)', kind: 'int'})],
  [4, (draws, scope) => ({sql: `sum(${expression(draws, 'int', scope)})`, kind: 'int'})],
  [3, (draws, scope) => ({sql: `sum(${expression(draws, 'decimal', scope)})`, kind: 'decimal'})],
  [3, (draws, scope) => call(draws, scope, 'min')],
  [3, (draws, scope) => call(draws, scope, 'max')],
  [3, (draws, scope) => ({...call(draws, scope, 'count'), kind: 'int'})],
  [3, (draws, scope) => ({sql: `count(DISTINCT ${expression(draws, anyKind(draws, scope), scope)})`, kind: 'int'})],
  [2, (draws, scope) => ({sql: `avg(${expression(draws, 'int', scope)})`, kind: 'double'})],
  [2, (draws, scope) => ({sql: `avg(${expression(draws, 'decimal', scope)})`, kind: 'double'})],
  [2, (draws, scope) => ({sql: `sum(${expression(draws, 'double', scope)})`, kind: 'double'})],
  [1, (draws, scope) => ({sql: `bool_or(${predicate(draws, scope, 0)})`, kind: 'bool'})],
  [1, (draws, scope) => ({sql: `bool_and(${predicate(draws, scope, 0)})`, kind: 'bool'})],
  [1, (draws, scope) => ({sql: `count_if(${predicate(draws, scope, 0)})`, kind: 'int'})],
  [1, (draws, scope) => ({sql: `median(${expression(draws, 'int', scope)})`, kind: 'double'})],
  [1, (draws, scope) => ({sql: `sum(DISTINCT ${expression(draws, 'int', scope)})`, kind: 'int'})],
  [1, (draws, scope) => joined(expression(draws, 'text', scope))],
  [1, (draws, scope) => call(draws, scope, 'any_value')],
];

/** Sorted by what it joins, so there is only one answer. DuckDB refuses to sort by a bare constant. */
function joined(text: string): Typed {
  return {sql: text.includes('.') ? `string_agg(${text}, ',' ORDER BY ${text})` : `max(${text})`, kind: 'text'};
}

function call(draws: Draws, scope: Scope, name: string): Typed {
  const kind = anyKind(draws, scope);
  return {sql: `${name}(${expression(draws, kind, scope)})`, kind};
}

export function anyKind(draws: Draws, scope: Scope): Kind {
  return draws.one(scope).kind;
}

function column(draws: Draws, kind: Kind, scope: Scope): string | undefined {
  const fitting = scope.filter((candidate) => candidate.kind === kind);
  return fitting.length === 0 ? undefined : draws.one(fitting).sql;
}
