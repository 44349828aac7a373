import type {AggregateCall, Column, Expression} from '../../src/relation/expression.ts';
import {column, columnsOf} from '../../src/relation/expression.ts';
import {columnsOfRelation} from '../../src/relation/relation.ts';
import type {Relation} from '../../src/relation/relation.ts';

/** A few words to write relations with. Columns are found by name, the last one made with it. */

let nextId = 0;

export function scan(source: string, columns: Readonly<Record<string, string>>): Relation {
  const made = Object.entries(columns).map(([name, type]) => ({id: ++nextId, name, type}));
  return {kind: 'scan', source: {schema: 'main', name: source}, columns: made, at: 'new'};
}

export function col(relation: Relation, name: string): Expression {
  const found = columnsOfRelation(relation).findLast((candidate) => candidate.name === name);
  if (!found) throw new Error(`no column ${name}`);
  return column(found);
}

export function constant(sql: string, type: string): Expression {
  return {kind: 'constant', sql, type};
}

export function compare(left: Expression, operator: '=' | '<' | '>' | '<>', right: Expression): Expression {
  return {kind: 'compare', operator, left, right};
}

export function filter(input: Relation, condition: Expression): Relation {
  return {kind: 'filter', input, condition};
}

export function project(input: Relation, outputs: Readonly<Record<string, Expression>>): Relation {
  const made = Object.entries(outputs).map(([name, expression]) => ({
    column: {id: ++nextId, name, type: typed(expression)},
    expression,
  }));
  return {kind: 'project', input, outputs: made};
}

export function join(left: Relation, right: Relation, condition: Expression | null = null): Relation {
  return {kind: 'join', left, right, condition};
}

export function unionAll(...inputs: Relation[]): Relation {
  const [first] = inputs;
  const columns = (first ? columnsOfRelation(first) : []).map((inner): Column => ({...inner, id: ++nextId}));
  return {kind: 'union-all', inputs, columns};
}

type Call = {name: string; of?: Expression; type: string; distinct?: boolean; where?: Expression};

export function aggregate(
  input: Relation,
  keys: readonly string[] | null,
  calls: Readonly<Record<string, Call>>,
): Relation {
  return {
    kind: 'aggregate',
    input,
    grouped: keys !== null,
    keys: (keys ?? []).map((name) => {
      const expression = col(input, name);
      return {column: {id: ++nextId, name, type: typed(expression)}, expression};
    }),
    aggregates: Object.entries(calls).map(([name, {name: fn, of, type, distinct, where}]) => {
      const call: AggregateCall = {
        name: fn,
        arguments: of ? [of] : [],
        distinct: distinct ?? false,
        filter: where ?? null,
        orderBy: [],
        type,
      };
      return {column: {id: ++nextId, name, type}, call};
    }),
  };
}

function typed(expression: Expression): string {
  return 'type' in expression ? expression.type : 'BOOLEAN';
}

export {columnsOf};
