import {typeOf as typeOfExpression} from '../relation/expression.ts';
import type {ComparisonOperator, Expression, WordOperator} from '../relation/expression.ts';
import {integerOf, isObject, listOf, objectsOf, textOf, type Json, type JsonObject} from './json.ts';
import {planType, typeName} from './plan-type.ts';
import {planValue} from './plan-value.ts';
import {readFunction} from './read-function.ts';
import {declineConstruct, declined, onlyKnown, type Reading} from './reading.ts';

/** What BOUND_REF's index counts: the columns an operator reads, or a lambda's parameters and captures. */
export type Scope = readonly Expression[];

/** An expression of the plan; `scope` is what its references count. */
export function readExpression(reading: Reading, json: Json | undefined, scope: Scope): Expression {
  if (!isObject(json)) return decline(reading, 'an expression that is missing');
  switch (json['expression_class']) {
    case 'BOUND_REF':
      return readReference(reading, json, scope);
    case 'BOUND_CONSTANT':
      known(reading, json, ['value']);
      return planValue(json['value']) ?? decline(reading, `a constant of type ${typeName(json['value'])}`);
    case 'BOUND_CAST':
      return readCast(reading, json, scope);
    case 'BOUND_COMPARISON':
      known(reading, json, ['left', 'right']);
      return compare(
        reading,
        json['type'],
        readExpression(reading, json['left'], scope),
        readExpression(reading, json['right'], scope),
      );
    case 'BOUND_CONJUNCTION':
      known(reading, json, ['children']);
      return {
        kind: 'logical',
        operator: json['type'] === 'CONJUNCTION_OR' ? 'or' : 'and',
        arguments: readAll(reading, json['children'], scope),
      };
    case 'BOUND_OPERATOR':
      return readOperator(reading, json, scope);
    case 'BOUND_CASE':
      return readCase(reading, json, scope);
    case 'BOUND_BETWEEN':
      return readBetween(reading, json, scope);
    case 'BOUND_FUNCTION':
      return readFunction(reading, json, scope);
    case 'BOUND_UNNEST':
      return decline(reading, 'unnest');
    default:
      return decline(reading, `the expression ${textOf(json['expression_class'])}`);
  }
}

export function readAll(reading: Reading, json: Json | undefined, scope: Scope): readonly Expression[] {
  return listOf(json).map((each) => readExpression(reading, each, scope));
}

/** A comparison, by DuckDB's name of its operator. */
export function compare(reading: Reading, type: Json | undefined, left: Expression, right: Expression): Expression {
  const operator = comparisons.get(textOf(type));
  if (operator === undefined) return decline(reading, `the comparison ${textOf(type)}`);
  return {kind: 'compare', operator, left, right};
}

const comparisons: ReadonlyMap<string, ComparisonOperator> = new Map([
  ['COMPARE_EQUAL', '='],
  ['COMPARE_NOTEQUAL', '<>'],
  ['COMPARE_LESSTHAN', '<'],
  ['COMPARE_LESSTHANOREQUALTO', '<='],
  ['COMPARE_GREATERTHAN', '>'],
  ['COMPARE_GREATERTHANOREQUALTO', '>='],
  ['COMPARE_DISTINCT_FROM', 'IS DISTINCT FROM'],
  ['COMPARE_NOT_DISTINCT_FROM', 'IS NOT DISTINCT FROM'],
]);

const words: ReadonlyMap<string, WordOperator> = new Map([
  ['OPERATOR_NOT', 'NOT'],
  ['OPERATOR_IS_NULL', 'IS NULL'],
  ['OPERATOR_IS_NOT_NULL', 'IS NOT NULL'],
  ['COMPARE_IN', 'IN'],
  ['COMPARE_NOT_IN', 'NOT IN'],
  ['OPERATOR_COALESCE', 'COALESCE'],
  ['OPERATOR_TRY', 'TRY'],
  ['ARRAY_EXTRACT', 'ARRAY_EXTRACT'],
  ['STRUCT_EXTRACT', 'STRUCT_EXTRACT'],
]);

/** Keys that every expression may have: a label, and its place in the text. */
const common = ['expression_class', 'type', 'alias', 'query_location'];

export function known(reading: Reading, json: JsonObject, keys: readonly string[]): void {
  onlyKnown(reading, json, `the expression ${textOf(json['expression_class'])}`, [...common, ...keys]);
}

function readReference(reading: Reading, json: JsonObject, scope: Scope): Expression {
  known(reading, json, ['return_type', 'index']);
  const found = scope[integerOf(json['index'])];
  if (found !== undefined) return found;
  // Above something that was declined there are no columns to refer to.
  return reading.reasons.length > 0 ? declined : decline(reading, 'a reference to a column that is not there');
}

function readCast(reading: Reading, json: JsonObject, scope: Scope): Expression {
  known(reading, json, ['child', 'return_type', 'try_cast']);
  const input = readExpression(reading, json['child'], scope);
  const type = typeOf(reading, json);
  // A literal is cast to the type that it has.
  if (typeOfExpression(input) === type) return input;
  return {kind: 'cast', input, tries: json['try_cast'] === true, type};
}

function readOperator(reading: Reading, json: JsonObject, scope: Scope): Expression {
  known(reading, json, ['return_type', 'children']);
  const operator = words.get(textOf(json['type']));
  if (operator === undefined) return decline(reading, `the operator ${textOf(json['type'])}`);
  return {
    kind: 'operator',
    operator,
    arguments: readAll(reading, json['children'], scope),
    type: typeOf(reading, json),
  };
}

function readCase(reading: Reading, json: JsonObject, scope: Scope): Expression {
  known(reading, json, ['return_type', 'case_checks', 'else_expr']);
  const branches = objectsOf(json['case_checks']).map((check) => {
    onlyKnown(reading, check, 'a branch of CASE', ['when_expr', 'then_expr']);
    return {
      when: readExpression(reading, check['when_expr'], scope),
      then: readExpression(reading, check['then_expr'], scope),
    };
  });
  return {
    kind: 'case',
    branches,
    otherwise: readExpression(reading, json['else_expr'], scope),
    type: typeOf(reading, json),
  };
}

function readBetween(reading: Reading, json: JsonObject, scope: Scope): Expression {
  known(reading, json, ['input', 'lower', 'upper', 'lower_inclusive', 'upper_inclusive']);
  const [input, lower, upper] = [json['input'], json['lower'], json['upper']].map((part) =>
    readExpression(reading, part, scope),
  ) as [Expression, Expression, Expression]; // Three in, three out.
  const from = json['lower_inclusive'] === true ? '>=' : '>';
  const to = json['upper_inclusive'] === true ? '<=' : '<';
  return {
    kind: 'logical',
    operator: 'and',
    arguments: [
      {kind: 'compare', operator: from, left: input, right: lower},
      {kind: 'compare', operator: to, left: input, right: upper},
    ],
  };
}

/** The type of an expression's result. */
export function typeOf(reading: Reading, json: JsonObject): string {
  const type = planType(json['return_type']);
  if (type === null) declineConstruct(reading, `the type ${typeName(json['return_type'])}`);
  return type ?? 'UNKNOWN';
}

function decline(reading: Reading, construct: string): Expression {
  declineConstruct(reading, construct);
  return declined;
}
