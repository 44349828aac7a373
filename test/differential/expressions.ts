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
    (part) => `(${part('int')} * (1 - ${part('int')}))`,
    (part) => `(${part('int')} % 2)`,
    (part) => `(${part('int')} // ${part('int')})`,
    (part) => `length(${part('text')})`,
    (part) => `strpos(${part('text')}, 'b')`,
    (part) => `year(${part('date')})`,
    (part) => `extract('dow' FROM ${part('time')})`,
    (part) => `nullif(${part('int')}, 1)`,
    (part) => `abs(${part('int')})`,
    (part) => `${part('struct')}.a`,
    (part) => `(${part('list')})[1]`,
    (part) => `len(${part('list')})`,
    (part) => `${macro}(${part('int')})`,
  ],
  text: [
    (part) => `upper(${part('text')})`,
    (part) => `(${part('text')} || 'x')`,
    (part) => `substr(${part('text')}, 1, 1)`,
    (part) => `replace(${part('text')}, 'a', '')`,
    (part) => `concat_ws('-', ${part('text')}, ${part('text')})`,
    (part) => `trim(lower(${part('text')}))`,
    (part) => `lpad(${part('text')}, 3, '*')`,
    (part) => `strftime(${part('date')}, '%Y-%m')`,
    (part) => `CAST(${part('int')} AS VARCHAR)`,
    (part) => `${part('struct')}.b`,
  ],
  decimal: [
    (part) => `(${part('decimal')} + ${part('decimal')})`,
    (part) => `(${part('decimal')} * 2)`,
    (part) => `CAST(${part('decimal')} * (1 - ${part('decimal')} / 100) AS DECIMAL(18,4))`,
    (part) => `round(${part('decimal')}, 1)`,
    (part) => `CAST(${part('int')} AS DECIMAL(12,2))`,
  ],
  date: [
    (part) => `(${part('date')} + 1)`,
    (part) => `date_trunc('month', ${part('date')})::DATE`,
    (part) => `CAST(${part('time')} AS DATE)`,
  ],
  time: [
    (part) => `date_trunc('day', ${part('time')})`,
    (part) => `(${part('time')} + INTERVAL 1 MONTH)`,
    (part) => `CAST(${part('date')} AS TIMESTAMP)`,
  ],
  bool: [
    (part) => `(${part('int')} > 1)`,
    (part) => `(NOT ${part('bool')})`,
    (part) => `(${part('text')} IS NULL)`,
    (part) => `contains(${part('text')}, 'a')`,
  ],
  double: [
    (part) => `(${part('double')} * 2)`,
    (part) => `(- ${part('double')})`,
    (part) => `(${part('double')} + ${part('int')})`,
    (part) => `CAST(${part('int')} AS DOUBLE)`,
    (part) => `(${part('int')} / 4)`,
  ],
  struct: [(part) => `{'a': ${part('int')}::INTEGER, 'b': ${part('text')}::VARCHAR}`],
  list: [(part) => `list_append(${part('list')}, ${part('int')}::INTEGER)`, (part) => `(${part('list')})[1:1]`],
};

/** A macro of the lake: `macro(x)` is x + 1, unless x is 3. */
export const macro = 'next_but_three';

/** A condition over the columns in reach. */
export function predicate(draws: Draws, scope: Scope, depth = 1): string {
  if (depth > 0 && draws.chance(30)) {
    const word = draws.one(['AND', 'OR']);
    return `(${predicate(draws, scope, depth - 1)} ${word} ${predicate(draws, scope, depth - 1)})`;
  }
  const kind = anyKind(draws, scope);
  const left = column(draws, kind, scope) ?? constant(draws, kind);
  // DuckLake leaves out rows by the plain one: see `lake-wrong-data.test.ts`.
  const isOther = kind === 'double' ? 'IS DISTINCT FROM' : '<>';
  switch (draws.below(9)) {
    case 0:
      return `${left} ${draws.one(['=', isOther, '<', '>='])} ${constant(draws, kind)}`;
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
    case 6:
      // DuckDB has none for nested values.
      return kind === 'struct' || kind === 'list'
        ? `${left} < ${constant(draws, kind)}`
        : `${left} ${draws.one(['BETWEEN', 'NOT BETWEEN'])} ${constant(draws, kind)} AND ${constant(draws, kind)}`;
    case 7:
      return `${left} NOT IN (${draws.many(1, 6, () => constant(draws, kind), 80).join(', ')})`;
    default:
      return `NOT (${left} ${kind === 'double' ? 'IS NOT DISTINCT FROM' : '='} ${constant(draws, kind)})`;
  }
}

/** An aggregate over the columns in reach. */
export function aggregate(draws: Draws, scope: Scope): Typed {
  const plain = draws.weighted(aggregates)(draws, scope);
  return draws.chance(12) &&
    /^(?!round)\w+\([^()]*(\([^()]*\)[^()]*)*\)$/.test(plain.sql) &&
    !plain.sql.includes('ORDER BY')
    ? {...plain, sql: `${plain.sql} FILTER (WHERE ${predicate(draws, scope, 0)})`}
    : plain;
}

const aggregates: readonly (readonly [number, (draws: Draws, scope: Scope) => Typed])[] = [
  [12, () => ({sql: 'count(*)', kind: 'int'})],
  [12, (draws, scope) => ({sql: `sum(${expression(draws, 'int', scope)})`, kind: 'int'})],
  [9, (draws, scope) => ({sql: `sum(${expression(draws, 'decimal', scope)})`, kind: 'decimal'})],
  [9, (draws, scope) => call(draws, scope, 'min')],
  [9, (draws, scope) => call(draws, scope, 'max')],
  [9, (draws, scope) => ({...call(draws, scope, 'count'), kind: 'int'})],
  [9, (draws, scope) => ({sql: `count(DISTINCT ${expression(draws, anyKind(draws, scope), scope)})`, kind: 'int'})],
  [6, (draws, scope) => ({sql: `avg(${expression(draws, 'int', scope)})`, kind: 'double'})],
  [6, (draws, scope) => ({sql: `avg(${expression(draws, 'decimal', scope)})`, kind: 'double'})],
  [6, (draws, scope) => ({sql: `sum(${expression(draws, 'double', scope)})`, kind: 'double'})],
  [3, (draws, scope) => ({sql: `bool_or(${predicate(draws, scope, 0)})`, kind: 'bool'})],
  [3, (draws, scope) => ({sql: `bool_and(${predicate(draws, scope, 0)})`, kind: 'bool'})],
  [3, (draws, scope) => ({sql: `count_if(${predicate(draws, scope, 0)})`, kind: 'int'})],
  [3, (draws, scope) => ({sql: `median(${expression(draws, 'int', scope)})`, kind: 'double'})],
  [3, (draws, scope) => ({sql: `sum(DISTINCT ${expression(draws, 'int', scope)})`, kind: 'int'})],
  [3, (draws, scope) => joined(expression(draws, 'text', scope))],
  [3, (draws, scope) => distinctJoined(draws, scope)],
  [3, (_, scope) => listed(scope)],
  [6, (draws, scope) => ratio(draws, scope)],
  [6, (draws, scope) => counted(draws, scope)],
  [1, (draws, scope) => call(draws, scope, 'any_value')],
];

/** What can't be added up over groups. */
function ratio(draws: Draws, scope: Scope): Typed {
  const [part, whole] = [expression(draws, 'int', scope), expression(draws, 'int', scope)];
  return draws.one<Typed>([
    {sql: `sum(${part}) / count(*)`, kind: 'double'},
    {
      sql: `round(100.0 * sum(CASE WHEN ${predicate(draws, scope, 0)} THEN 1 ELSE 0 END) / count(*), 2)`,
      kind: 'double',
    },
    {sql: `coalesce(sum(${part}), 0) - coalesce(sum(${whole}), 0)`, kind: 'int'},
    {sql: `max(${part}) - min(${whole})`, kind: 'int'},
  ]);
}

function counted(draws: Draws, scope: Scope): Typed {
  return {
    sql: `sum(CASE WHEN ${predicate(draws, scope)} THEN ${expression(draws, 'int', scope)} ELSE 0 END)`,
    kind: 'int',
  };
}

function distinctJoined(draws: Draws, scope: Scope): Typed {
  const text = expression(draws, 'text', scope);
  return text.includes('.')
    ? {sql: `string_agg(DISTINCT ${text}, ',' ORDER BY ${text})`, kind: 'text'}
    : {sql: `min(${text})`, kind: 'text'};
}

function listed(scope: Scope): Typed {
  const [fitting] = scope.filter(({kind}) => kind === 'int');
  return fitting === undefined
    ? {sql: 'count(*)', kind: 'int'}
    : {sql: `list(${fitting.sql}::INTEGER ORDER BY ${fitting.sql}::INTEGER)`, kind: 'list'};
}

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
