import {column, typeOf as typeOfExpression, type Expression} from '../relation/expression.ts';
import {isObject, listOf, textOf, type JsonObject} from './json.ts';
import {elementType, planType} from './plan-type.ts';
import {namedRow, textConstant} from './plan-value.ts';
import {known, readAll, readExpression, typeOf, type Scope} from './read-expression.ts';
import {declineConstruct, declined, freshColumn, onlyKnown, type Reading} from './reading.ts';

/** Functions whose answer depends on names or on how rows are stored, not on values alone. */
const notOfValues = new Set(['alias', 'vector_type', 'stats']);

/** Their result type says all that they keep besides their arguments. */
const typedByResult = new Set([
  'row',
  'struct_concat',
  'map',
  'map_from_entries',
  'map_concat',
  'list_zip',
  'unpivot_list',
]);

/** Over decimals they keep the type of their result, to which the print casts. */
const decimalArithmetic = new Set(['+', '-', '*', 'add', 'subtract', 'multiply']);

const listAggregates = new Set(['list_aggregate', 'list_aggr', 'aggregate', 'array_aggregate', 'array_aggr']);

/** A scalar function. What DuckDB has taken out of its arguments when it bound them must be known here, or it is declined. */
export function readFunction(reading: Reading, json: JsonObject, scope: Scope): Expression {
  known(reading, json, [
    'return_type',
    'children',
    'name',
    'arguments',
    'original_arguments',
    'catalog_name',
    'schema_name',
    'has_serialize',
    'function_data',
    'is_operator',
  ]);
  const name = textOf(json['name']);
  const data = isObject(json['function_data']) ? json['function_data'] : {};
  if (isObject(data['lambda_expr'])) return readLambdaCall(reading, json, name, data, scope);
  const inputs = readAll(reading, json['children'], scope);
  const type = typeOf(reading, json);
  if (name === 'struct_pack') return namedRow(type, inputs);
  // It takes the type of whatever stands beside it.
  if (name === 'error') return cast({kind: 'call', name, arguments: inputs, type: '"NULL"'}, type);
  if (name === 'array_slice' && inputs.slice(1).some((bound) => typeOfExpression(bound).endsWith('[]'))) {
    return decline(reading, 'a slice of a list without a beginning or an end');
  }
  const kept = listAggregates.has(name) ? keptByListAggregate(data) : isWhole(json, name, data) ? [] : null;
  if (kept === null) return decline(reading, `the function ${name}`);
  return {kind: 'call', name, arguments: [...inputs, ...kept], type};
}

/** Whether its children are all that it was called with. */
function isWhole(json: JsonObject, name: string, data: JsonObject): boolean {
  if (notOfValues.has(name)) return false;
  if (listOf(json['original_arguments']).length > listOf(json['children']).length) return false;
  const kept = Object.keys(data);
  if (decimalArithmetic.has(name))
    return kept.every((key) => ['check_overflow', 'return_type', 'arguments'].includes(key));
  return kept.length === 0 || (typedByResult.has(name) && kept.every((key) => key === 'variable_return_type'));
}

/** `list_aggregate(l, 'sum')` is whole as it is; a separator is an argument more. Null: it was given something else. */
function keptByListAggregate(data: JsonObject): readonly Expression[] | null {
  const bound = isObject(data['bind_data']) ? data['bind_data'] : {};
  const call = isObject(bound['aggr_expr']) ? bound['aggr_expr'] : {};
  if (call['expression_class'] !== 'BOUND_AGGREGATE') return null;
  const given = isObject(call['function_data']) ? call['function_data'] : {};
  const [only, ...others] = Object.keys(given);
  if (only === undefined) return [];
  return only === 'separator' && others.length === 0 ? [textConstant(textOf(given['separator']))] : null;
}

/** What a lambda of each function is given, before the index that it may ask for. */
const lambdaParameters: ReadonlyMap<string, 'element' | 'accumulator'> = new Map([
  ...['list_transform', 'list_apply', 'array_transform', 'array_apply', 'apply'].map(
    (name) => [name, 'element'] as const,
  ),
  ...['list_filter', 'array_filter', 'filter'].map((name) => [name, 'element'] as const),
  ...['list_reduce', 'array_reduce', 'reduce'].map((name) => [name, 'accumulator'] as const),
]);

/**
 * A function with a lambda. In its body, references count the parameters from the last to the first, then what it captures from
 * around it, which the function carries as further arguments.
 */
function readLambdaCall(reading: Reading, json: JsonObject, name: string, data: JsonObject, scope: Scope): Expression {
  onlyKnown(reading, data, `the function ${name}`, ['return_type', 'lambda_expr', 'has_index', 'has_initial']);
  const takes = lambdaParameters.get(name);
  if (takes === undefined) return decline(reading, `the function ${name}`);
  const [list, ...others] = readAll(reading, json['children'], scope);
  const initial = data['has_initial'] === true ? others.slice(0, 1) : [];
  const captures = others.slice(initial.length);
  const parameters = [
    ...(takes === 'accumulator' ? [freshColumn(reading, 'accumulated', typeOf(reading, json))] : []),
    freshColumn(reading, 'element', elementTypeOf(json)),
    ...(data['has_index'] === true ? [freshColumn(reading, 'index', 'BIGINT')] : []),
  ];
  const inner = [...parameters.map(column).reverse(), ...captures];
  const body = readExpression(reading, data['lambda_expr'], inner);
  const lambda: Expression = {kind: 'lambda', parameters, body, type: 'LAMBDA'};
  return {kind: 'call', name, arguments: [list ?? declined, lambda, ...initial], type: typeOf(reading, json)};
}

function elementTypeOf(json: JsonObject): string {
  const [list] = listOf(json['children']);
  return planType(elementType(isObject(list) ? list['return_type'] : undefined)) ?? 'ANY';
}

function cast(input: Expression, type: string): Expression {
  return {kind: 'cast', input, tries: false, type};
}

function decline(reading: Reading, construct: string): Expression {
  declineConstruct(reading, construct);
  return declined;
}
