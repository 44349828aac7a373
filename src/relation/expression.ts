/**
 * Scalar expressions over identified columns. A column is known by its id, unique in a whole definition, so that moving an
 * expression through a tree is substitution and nothing else.
 */

/** A column of a relation. `type` is DuckDB's own text of it, such as `DECIMAL(18,2)` or `STRUCT(a INTEGER)[]`. */
export type Column = {readonly id: number; readonly name: string; readonly type: string};

export type Expression =
  | {readonly kind: 'column'; readonly id: number; readonly type: string}
  /** A value of its type; `sql` is complete, cast included. */
  | {readonly kind: 'constant'; readonly sql: string; readonly type: string}
  /** A scalar function or an operator that DuckDB keeps as one (`+`, `||`, `~~`). */
  | {readonly kind: 'call'; readonly name: string; readonly arguments: readonly Expression[]; readonly type: string}
  | {
      readonly kind: 'compare';
      readonly operator: ComparisonOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {readonly kind: 'logical'; readonly operator: 'and' | 'or'; readonly arguments: readonly Expression[]}
  /** What SQL writes with words of its own. */
  | {
      readonly kind: 'operator';
      readonly operator: WordOperator;
      readonly arguments: readonly Expression[];
      readonly type: string;
    }
  | {
      readonly kind: 'case';
      readonly branches: readonly {readonly when: Expression; readonly then: Expression}[];
      readonly otherwise: Expression;
      readonly type: string;
    }
  | {readonly kind: 'cast'; readonly input: Expression; readonly tries: boolean; readonly type: string}
  /** A lambda as a function's argument; its parameters are columns of their own ids. */
  | {readonly kind: 'lambda'; readonly parameters: readonly Column[]; readonly body: Expression; readonly type: string};

export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>=' | 'IS DISTINCT FROM' | 'IS NOT DISTINCT FROM';

export type WordOperator =
  'NOT' | 'IS NULL' | 'IS NOT NULL' | 'IN' | 'NOT IN' | 'COALESCE' | 'TRY' | 'ARRAY_EXTRACT' | 'STRUCT_EXTRACT';

/** One call of an aggregate function. `type` is the type of its result. */
export type AggregateCall = {
  readonly name: string;
  readonly arguments: readonly Expression[];
  readonly distinct: boolean;
  readonly filter: Expression | null;
  readonly orderBy: readonly OrderTerm[];
  readonly type: string;
  /** It is known to see one row at most (a scalar subquery), so that nothing depends on the order of rows. */
  readonly isOverOneRow?: true;
};

export type OrderTerm = {readonly expression: Expression; readonly descending: boolean; readonly nullsFirst: boolean};

export function column({id, type}: Column): Expression {
  return {kind: 'column', id, type};
}

export function typeOf(expression: Expression): string {
  switch (expression.kind) {
    case 'compare':
    case 'logical':
      return 'BOOLEAN';
    default:
      return expression.type;
  }
}

/** The same expression with `change` applied to its direct parts. */
export function mapParts(expression: Expression, change: (part: Expression) => Expression): Expression {
  switch (expression.kind) {
    case 'column':
    case 'constant':
      return expression;
    case 'call':
    case 'logical':
    case 'operator':
      return {...expression, arguments: expression.arguments.map(change)};
    case 'compare':
      return {...expression, left: change(expression.left), right: change(expression.right)};
    case 'case':
      return {
        ...expression,
        branches: expression.branches.map(({when, then}) => ({when: change(when), then: change(then)})),
        otherwise: change(expression.otherwise),
      };
    case 'cast':
      return {...expression, input: change(expression.input)};
    case 'lambda':
      return {...expression, body: change(expression.body)};
  }
}

/** The same expression with every column replaced for which `replace` has an answer. */
export function substitute(expression: Expression, replace: (id: number) => Expression | undefined): Expression {
  if (expression.kind === 'column') return replace(expression.id) ?? expression;
  return mapParts(expression, (part) => substitute(part, replace));
}

/** Calls `visit` for the expression and everything inside it. */
export function walk(expression: Expression, visit: (part: Expression) => void): void {
  visit(expression);
  mapParts(expression, (part) => (walk(part, visit), part));
}

/** The ids of the columns it reads. */
export function columnsOf(expression: Expression): ReadonlySet<number> {
  const ids = new Set<number>();
  walk(expression, (part) => {
    if (part.kind === 'column') ids.add(part.id);
  });
  return ids;
}

/** The parts of a conjunction: `a and (b and c)` is a, b, c; no condition is no parts. */
export function conjuncts(condition: Expression | null): readonly Expression[] {
  if (condition === null) return [];
  return condition.kind === 'logical' && condition.operator === 'and'
    ? condition.arguments.flatMap(conjuncts)
    : [condition];
}

export function conjunction(parts: readonly Expression[]): Expression | null {
  if (parts.length <= 1) return parts[0] ?? null;
  return {kind: 'logical', operator: 'and', arguments: parts};
}

/** A value of a type, from its SQL without the cast. */
export function constant(sql: string, type: string): Expression {
  return {kind: 'constant', sql: `CAST(${sql} AS ${type})`, type};
}

export function absent(type: string): Expression {
  return constant('NULL', type);
}

export function castTo(input: Expression, type: string): Expression {
  return typeOf(input) === type ? input : {kind: 'cast', input, tries: false, type};
}

export function called(name: string, inputs: readonly Expression[], type: string): Expression {
  return {kind: 'call', name, arguments: inputs, type};
}

export function compared(left: Expression, operator: ComparisonOperator, right: Expression): Expression {
  return {kind: 'compare', operator, left, right};
}

/** Both conditions; null is none. */
export function and(left: Expression | null, right: Expression): Expression {
  return conjunction([...conjuncts(left), right]) ?? right;
}

export function caseWhen(
  branches: readonly {readonly when: Expression; readonly then: Expression}[],
  otherwise: Expression,
): Expression {
  return {kind: 'case', branches, otherwise, type: typeOf(otherwise)};
}
