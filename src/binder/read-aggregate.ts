import type {AggregateCall, Expression, OrderTerm} from '../relation/expression.ts';
import {exactness} from '../relation/aggregate-functions.ts';
import {integerOf, isObject, listOf, objectsOf, textOf, type Json, type JsonObject} from './json.ts';
import {listOfConstants, planValue, textConstant} from './plan-value.ts';
import {known, readAll, readExpression, typeOf, type Scope} from './read-expression.ts';
import {decline, declineConstruct, onlyKnown, type Choices, type Reading} from './reading.ts';

/** One call of an aggregate function. One that leaves a free choice is declined: what it answered can't be found again. */
export function readAggregateCall(
  reading: Reading,
  json: JsonObject,
  scope: Scope,
  choice: 'single' | 'sorted' | undefined,
): AggregateCall {
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
  const name = textOf(json['name']);
  const inputs = readAll(reading, json['children'], scope);
  const ownOrder = inputs.map((expression) => ({expression, descending: false, nullsFirst: false}));
  const isOverOneRow = choice === 'single' && name === 'first';
  const call: AggregateCall = {
    name: isOverOneRow ? 'max' : name,
    arguments: inputs,
    distinct: json['aggregate_type'] === 'DISTINCT',
    filter: json['filter'] === undefined ? null : readExpression(reading, json['filter'], scope),
    orderBy: isObject(json['order_bys'])
      ? readOrder(reading, json['order_bys'], scope)
      : choice === 'sorted'
        ? ownOrder
        : [],
    type: typeOf(reading, json),
    ...(isOverOneRow ? {isOverOneRow} : {}),
  };
  const answer = exactness(call);
  if (answer.kind !== 'free-choice')
    return {...call, arguments: [...inputs, ...keptArguments(reading, json, call.name)]};
  const {why, rewrite} = answer;
  if (json['alias'] === '__collated_group')
    decline(reading, {kind: 'free-choice', construct: 'GROUP BY under a collation or over an INTERVAL'});
  else decline(reading, {kind: 'free-choice', construct: why, ...(rewrite === undefined ? {} : {rewrite})});
  return call;
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

/** Looks at a projection for what it tells of the aggregate below it, which filters may separate from it. */
export function noteChoices(reading: Reading, projection: JsonObject): void {
  let [below] = objectsOf(projection['children']);
  const readers = [projection];
  while (below?.['type'] === 'LOGICAL_FILTER' && below['projection_map'] === undefined) {
    readers.push(below);
    [below] = objectsOf(below['children']);
  }
  if (below?.['type'] !== 'LOGICAL_AGGREGATE_AND_GROUP_BY') return;
  reading.choices.set(below, choicesIn(projection, readers, below));
}

function choicesIn(projection: JsonObject, readers: readonly JsonObject[], aggregate: JsonObject): Choices {
  if (readers.length === 1 && isScalarSubquery(projection, aggregate)) return new Map([[0, 'single']]);
  const keys = listOf(aggregate['groups']).length;
  const lists = objectsOf(aggregate['expressions']).flatMap(({name, order_bys: order}, i) => {
    const isSorted = readers.every(({expressions}) => isOnlySorted(expressions, keys + i));
    return name === 'list' && order === undefined && isSorted ? [i] : [];
  });
  return new Map(lists.map((place) => [place, 'sorted']));
}

/** DuckDB plans `list(x ORDER BY x)` as a list without an order, sorted above. */
function isOnlySorted(json: Json | undefined, place: number): boolean {
  if (Array.isArray(json)) return (json as readonly Json[]).every((part) => isOnlySorted(part, place));
  if (!isObject(json)) return true;
  if (json['expression_class'] === 'BOUND_REF') return integerOf(json['index']) !== place;
  const [list, ...others] = listOf(json['children']);
  const isSorted = json['name'] === 'list_sort' && isObject(list) && list['expression_class'] === 'BOUND_REF';
  return isSorted ? isOnlySorted(others, place) : Object.values(json).every((part) => isOnlySorted(part, place));
}

/**
 * DuckDB's plan of an uncorrelated scalar subquery: `first` and a count over it, and above them an error where there is more than
 * one row.
 */
function isScalarSubquery(projection: JsonObject, aggregate: JsonObject): boolean {
  const [guard, ...otherOutputs] = objectsOf(projection['expressions']);
  const [first, count, ...otherCalls] = objectsOf(aggregate['expressions']);
  const [check] = objectsOf(guard?.['case_checks']);
  const {when_expr: when, then_expr: then} = check ?? {};
  return (
    [...listOf(aggregate['groups']), ...otherOutputs, ...otherCalls].length === 0 &&
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
