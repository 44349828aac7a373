import type {AggregateCall, Expression, OrderTerm} from '../relation/expression.ts';
import {exactness} from '../relation/aggregate-functions.ts';
import {integerOf, isObject, listOf, objectsOf, textOf, type JsonObject} from './json.ts';
import {listOfConstants, planValue, textConstant} from './plan-value.ts';
import {known, readAll, readExpression, typeOf, type Scope} from './read-expression.ts';
import {decline, declineConstruct, onlyKnown, type Reading} from './reading.ts';

/**
 * One call of an aggregate function. One that leaves a free choice is declined: what it answered before can't be found again.
 * `isSingle`: it is known to be over one row at most, so that the first is the largest.
 */
export function readAggregateCall(reading: Reading, json: JsonObject, scope: Scope, isSingle: boolean): AggregateCall {
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
    'aggregate_type',
    'filter',
    'order_bys',
  ]);
  const written = textOf(json['name']);
  const call: AggregateCall = {
    name: isSingle && written === 'first' ? 'max' : written,
    arguments: readAll(reading, json['children'], scope),
    distinct: json['aggregate_type'] === 'DISTINCT',
    filter: json['filter'] === undefined ? null : readExpression(reading, json['filter'], scope),
    orderBy: isObject(json['order_bys']) ? readOrder(reading, json['order_bys'], scope) : [],
    type: typeOf(reading, json),
  };
  const answer = exactness(call);
  if (answer.kind === 'free-choice') {
    const {why, rewrite} = answer;
    decline(reading, {kind: 'free-choice', construct: why, ...(rewrite === undefined ? {} : {rewrite})});
    return call;
  }
  return {...call, arguments: [...call.arguments, ...keptArguments(reading, json, call.name)]};
}

/** Arguments that DuckDB has taken out of the call when it bound it. */
function keptArguments(reading: Reading, json: JsonObject, name: string): readonly Expression[] {
  const data = isObject(json['function_data']) ? json['function_data'] : {};
  const taken = listOf(json['original_arguments']).length - listOf(json['children']).length;
  if (Object.keys(data).length === 0 && taken <= 0) return [];
  const kept = readKept(name, data, json);
  if (kept !== null) return kept;
  declineConstruct(reading, `the aggregate ${name} with these arguments`);
  return [];
}

function readKept(name: string, data: JsonObject, json: JsonObject): readonly Expression[] | null {
  const keys = Object.keys(data).toSorted().join(' ');
  if (keys === 'separator') return [textConstant(textOf(data['separator']))];
  if (keys === 'desc order quantiles' && data['desc'] === false) {
    // The median's own half, and that of the deviation from it, are not arguments.
    if (name === 'median' || name === 'mad') return [];
    return quantiles(data, json);
  }
  if (name === 'bitstring_agg' && keys === 'max min') return constants([data['min'], data['max']]);
  return null;
}

function quantiles(data: JsonObject, json: JsonObject): readonly Expression[] | null {
  const values = constants(listOf(data['quantiles']));
  const asked = listOf(json['original_arguments'])[1];
  if (values === null || !isObject(asked)) return null;
  return asked['id'] === 'LIST' ? [listOfConstants('DOUBLE[]', values)] : values;
}

function constants(values: readonly Parameters<typeof planValue>[0][]): readonly Expression[] | null {
  const read = values.map(planValue).filter((value) => value !== null);
  return read.length === values.length ? read : null;
}

function readOrder(reading: Reading, json: JsonObject, scope: Scope): readonly OrderTerm[] {
  onlyKnown(reading, json, 'an order', ['orders']);
  return objectsOf(json['orders']).map((term) => {
    onlyKnown(reading, term, 'an order', ['type', 'null_order', 'expression']);
    return {
      expression: readExpression(reading, term['expression'], scope),
      descending: term['type'] === 'DESCENDING',
      nullsFirst: term['null_order'] === 'NULLS FIRST',
    };
  });
}

/**
 * DuckDB's plan of an uncorrelated scalar subquery: `first` and a count over it, and an error where there is more than one row.
 * The choice is no choice then.
 */
export function isScalarSubquery(projection: JsonObject): boolean {
  const [aggregate] = objectsOf(projection['children']);
  if (aggregate?.['type'] !== 'LOGICAL_AGGREGATE_AND_GROUP_BY' || listOf(aggregate['groups']).length > 0) return false;
  const [first, count] = objectsOf(aggregate['expressions']);
  const [guard] = objectsOf(projection['expressions']);
  const [check] = objectsOf(guard?.['case_checks']);
  const {when_expr: when, then_expr: then} = check ?? {};
  return (
    listOf(aggregate['expressions']).length === 2 &&
    listOf(projection['expressions']).length === 1 &&
    first?.['name'] === 'first' &&
    count?.['name'] === 'count_star' &&
    isObject(when) &&
    when['type'] === 'COMPARE_GREATERTHAN' &&
    isObject(when['left']) &&
    integerOf(when['left']['index']) === 1 &&
    isObject(then) &&
    then['name'] === 'error'
  );
}
