import {unreachable} from '../assert.ts';
import {identifier, join, nothing, raw, sql} from '../sql.ts';
import type {Sql} from '../sql.ts';
import type {AggregateCall, Expression, OrderTerm} from './expression.ts';

/** What a column is in the SQL around the expression. */
export type ColumnSql = (id: number) => Sql;

/** Functions that DuckDB's binder makes of operators, and are read best as such. */
const infix = new Set([
  '+',
  '-',
  '*',
  '/',
  '//',
  '%',
  '||',
  '&',
  '|',
  '<<',
  '>>',
  '~~',
  '!~~',
  '~~*',
  '!~~*',
  '**',
  '^',
]);

export function printExpression(expression: Expression, columnSql: ColumnSql): Sql {
  const part = (inner: Expression): Sql => printExpression(inner, columnSql);
  switch (expression.kind) {
    case 'column':
      return columnSql(expression.id);
    case 'constant':
      return raw(expression.sql);
    case 'call':
      return call(expression, part);
    case 'compare':
      return sql`(${part(expression.left)} ${raw(expression.operator)} ${part(expression.right)})`;
    case 'logical':
      return sql`(${join(expression.arguments.map(part), expression.operator === 'and' ? ' AND ' : ' OR ')})`;
    case 'operator':
      return operator(expression, part);
    case 'case': {
      const branches = expression.branches.map(({when, then}) => sql`WHEN ${part(when)} THEN ${part(then)}`);
      return sql`CASE ${join(branches, ' ')} ELSE ${part(expression.otherwise)} END`;
    }
    case 'cast':
      return sql`${raw(expression.tries ? 'TRY_CAST' : 'CAST')}(${part(expression.input)} AS ${raw(expression.type)})`;
    case 'lambda': {
      const names = new Map(expression.parameters.map(({id}) => [id, identifier(`p_${id}`)]));
      const body = printExpression(expression.body, (id) => names.get(id) ?? columnSql(id));
      return sql`(lambda ${join([...names.values()])}: ${body})`;
    }
    default:
      return unreachable(expression);
  }
}

export function printAggregateCall(
  {name, arguments: inputs, distinct, filter, orderBy}: AggregateCall,
  columnSql: ColumnSql,
): Sql {
  const part = (inner: Expression): Sql => printExpression(inner, columnSql);
  const order = orderBy.length === 0 ? nothing : sql` ORDER BY ${join(orderBy.map((term) => orderTerm(term, part)))}`;
  const where = filter === null ? nothing : sql` FILTER (WHERE ${part(filter)})`;
  if (name === 'count_star') return sql`count(*)${where}`;
  return sql`${identifier(name)}(${raw(distinct ? 'DISTINCT ' : '')}${join(inputs.map(part))}${order})${where}`;
}

function orderTerm({expression, descending, nullsFirst}: OrderTerm, part: (inner: Expression) => Sql): Sql {
  return sql`${part(expression)} ${raw(descending ? 'DESC' : 'ASC')} ${raw(nullsFirst ? 'NULLS FIRST' : 'NULLS LAST')}`;
}

function call({name, arguments: inputs, type}: Expression & {kind: 'call'}, part: (inner: Expression) => Sql): Sql {
  const [left, right] = inputs;
  const printed =
    infix.has(name) && inputs.length === 2 && left && right
      ? sql`(${part(left)} ${raw(name)} ${part(right)})`
      : sql`${identifier(name)}(${join(inputs.map(part))})`;
  // Bound again, DECIMAL arithmetic would widen its result once more.
  return type.startsWith('DECIMAL') ? sql`CAST(${printed} AS ${raw(type)})` : printed;
}

function operator(
  {operator: word, arguments: inputs}: Expression & {kind: 'operator'},
  part: (inner: Expression) => Sql,
): Sql {
  const [first, ...rest] = inputs.map(part);
  const head = first ?? nothing;
  switch (word) {
    case 'NOT':
      return sql`(NOT ${head})`;
    case 'IS NULL':
    case 'IS NOT NULL':
      return sql`(${head} ${raw(word)})`;
    case 'IN':
    case 'NOT IN':
      return sql`(${head} ${raw(word)} (${join(rest)}))`;
    case 'COALESCE':
    case 'TRY':
      return sql`${raw(word)}(${join(inputs.map(part))})`;
    case 'ARRAY_EXTRACT':
    case 'STRUCT_EXTRACT':
      return sql`${identifier(word.toLowerCase())}(${join(inputs.map(part))})`;
    default:
      return unreachable(word);
  }
}
