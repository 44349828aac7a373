import {unreachable} from '../assert.ts';
import {raw} from '../sql.ts';
import {tableNameText} from '../table-name.ts';
import type {Column, Expression} from './expression.ts';
import {columnName} from './print.ts';
import {printAggregateCall, printExpression} from './print-expression.ts';
import type {ColumnSql} from './print-expression.ts';
import {columnsOfRelation, inputsOf} from './relation.ts';
import type {Output, Relation} from './relation.ts';

/** A relation as an indented tree for people: one operator a line, what it reads below it. */
export function describe(relation: Relation): string {
  return lines(relation).join('\n');
}

function lines(relation: Relation): readonly string[] {
  return [operator(relation), ...inputsOf(relation).flatMap((input) => lines(input).map((line) => `  ${line}`))];
}

function operator(relation: Relation): string {
  const names = namesIn(relation);
  const text = (expression: Expression): string => printExpression(expression, names).text;
  switch (relation.kind) {
    case 'scan':
      return `scan ${tableNameText(relation.source)}${relation.at === 'old' ? ' (old)' : ''}: ${list(relation.columns)}`;
    case 'staged':
      return `staged ${relation.name}: ${list(relation.columns)}`;
    case 'values':
      return `values: ${relation.rows.length} row${relation.rows.length === 1 ? '' : 's'}`;
    case 'filter':
      return `filter ${text(relation.condition)}`;
    case 'project':
      return `project ${relation.outputs.map((output) => outputText(output, text)).join(', ')}`;
    case 'join':
      return relation.condition === null ? 'cross join' : `join on ${text(relation.condition)}`;
    case 'aggregate': {
      const calls = relation.aggregates.map(
        ({column, call}) => `${columnName(column)} = ${printAggregateCall(call, names).text}`,
      );
      const keys = relation.keys.map((output) => outputText(output, text)).join(', ');
      const by = relation.grouped ? ` by ${keys}` : '';
      return calls.length === 0 ? `distinct ${keys}` : `aggregate${by}: ${calls.join(', ')}`;
    }
    case 'union-all':
      return `union all: ${list(relation.columns)}`;
    case 'restrict':
      return `restrict to ${relation.keys.name} by ${relation.on.map(({expression}) => text(expression)).join(', ')}`;
    default:
      return unreachable(relation);
  }
}

function outputText({column, expression}: Output, text: (expression: Expression) => string): string {
  const [name, from] = [columnName(column), text(expression)];
  return name === from ? name : `${name} = ${from}`;
}

function list(columns: readonly Column[]): string {
  return columns.map(columnName).join(', ') || 'no columns';
}

/** The names of the columns an operator can read. */
function namesIn(relation: Relation): ColumnSql {
  const inputs = inputsOf(relation).flatMap(columnsOfRelation);
  const names = new Map(inputs.map((column) => [column.id, columnName(column)]));
  return (id) => raw(names.get(id) ?? `column ${id}`);
}
