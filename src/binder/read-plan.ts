import type {Reading as Read} from './bound.ts';
import {column, conjunction, conjuncts, type Column, type Expression} from '../relation/expression.ts';
import {exactness} from '../relation/aggregate-functions.ts';
import {columnsOfRelation, inputsOf, type Output, type Relation} from '../relation/relation.ts';
import {describeOperator, isExists} from './constructs.ts';
import {integerOf, isObject, listOf, objectsOf, textOf, type Json, type JsonObject} from './json.ts';
import {planType} from './plan-type.ts';
import {noteChoices, readAggregateCall} from './read-aggregate.ts';
import {compare, readAll, readExpression, typeOf, type Scope} from './read-expression.ts';
import {readScan} from './read-scan.ts';
import {beginReading, decline, declineConstruct, freshColumn, onlyKnown, type Reading} from './reading.ts';

/** More than any hand writes; a CTE that reads a CTE twice, that reads a CTE twice … gets here soon. */
const mostOperators = 2_000;

/**
 * DuckDB's bound plan as a relation, or every reason why it is none. The format belongs to DuckDB's version: each node's keys are
 * listed where it is read, and one that is not listed declines it. References are positional, a missing index is 0, and the names
 * of columns are labels and no more.
 */
export function readPlan(plan: JsonObject): Read {
  const reading = beginReading();
  const relation = readOperator(reading, plan);
  return reading.reasons.length === 0 ? {kind: 'relation', relation} : {kind: 'full', reasons: reading.reasons};
}

/** Stands for an operator that was declined: what is above it has no columns to refer to. */
const hole: Relation = {kind: 'values', columns: [], rows: []};

function readOperator(reading: Reading, json: Json | undefined): Relation {
  if (!isObject(json)) return declineAs(reading, 'an operator that is missing');
  reading.operators += 1;
  if (reading.operators > mostOperators) return declineAs(reading, `a query of more than ${mostOperators} operators`);
  switch (json['type']) {
    case 'LOGICAL_GET':
      return readScan(reading, json) ?? hole;
    case 'LOGICAL_PROJECTION':
      return readProjection(reading, json);
    case 'LOGICAL_FILTER':
      return readFilter(reading, json);
    case 'LOGICAL_COMPARISON_JOIN':
    case 'LOGICAL_ANY_JOIN':
    case 'LOGICAL_CROSS_PRODUCT':
      return json['join_type'] === undefined || json['join_type'] === 'INNER'
        ? readJoin(reading, json)
        : declineOperator(reading, json);
    case 'LOGICAL_AGGREGATE_AND_GROUP_BY':
      return isExists(json) ? declineOperator(reading, json) : readAggregate(reading, json);
    case 'LOGICAL_DISTINCT':
      return json['distinct_type'] === 'DISTINCT' ? readDistinct(reading, json) : declineOperator(reading, json);
    case 'LOGICAL_UNION':
      return readUnion(reading, json);
    case 'LOGICAL_ORDER_BY':
      return readOrderBy(reading, json);
    case 'LOGICAL_MATERIALIZED_CTE':
      return readCte(reading, json);
    case 'LOGICAL_CTE_REF':
      return readCteReference(reading, json);
    case 'LOGICAL_DUMMY_SCAN':
      return {kind: 'values', columns: [], rows: [[]]};
    case 'LOGICAL_EXPRESSION_GET':
      return readValues(reading, json);
    case 'LOGICAL_EMPTY_RESULT':
      return readEmpty(reading, json);
    default:
      return declineOperator(reading, json);
  }
}

function readProjection(reading: Reading, json: JsonObject): Relation {
  onlyKnown(reading, json, 'a projection', ['type', 'children', 'table_index', 'expressions']);
  noteChoices(reading, json);
  const input = readInput(reading, json);
  return {kind: 'project', input, outputs: readOutputs(reading, json['expressions'], scopeOf(input))};
}

function readFilter(reading: Reading, json: JsonObject): Relation {
  onlyKnown(reading, json, 'a filter', ['type', 'children', 'expressions', 'projection_map']);
  const input = readInput(reading, json);
  const condition = conjunction(readAll(reading, json['expressions'], scopeOf(input)).flatMap(conjuncts));
  const filtered: Relation = condition === null ? input : {kind: 'filter', input, condition};
  return projected(filtered, json['projection_map']);
}

function readJoin(reading: Reading, json: JsonObject): Relation {
  onlyKnown(reading, json, 'a join', [
    'type',
    'children',
    'join_type',
    'conditions',
    'condition',
    'left_projection_map',
    'right_projection_map',
  ]);
  const [left = hole, right = hole] = objectsOf(json['children']).map((child) => readOperator(reading, child));
  const parts = objectsOf(json['conditions']).map((part) => readCondition(reading, part, left, right));
  const whole =
    json['condition'] === undefined
      ? []
      : [readExpression(reading, json['condition'], [...scopeOf(left), ...scopeOf(right)])];
  const condition = conjunction([...parts, ...whole].flatMap(conjuncts));
  const joined: Relation = {kind: 'join', left, right, condition};
  const kept = [...chosen(left, json['left_projection_map']), ...chosen(right, json['right_projection_map'])];
  return kept.length === columnsOfRelation(joined).length ? joined : passOn(joined, kept);
}

/** One comparison, each side over its own input. */
function readCondition(reading: Reading, json: JsonObject, left: Relation, right: Relation): Expression {
  onlyKnown(reading, json, 'a join condition', ['left', 'right', 'comparison']);
  return compare(
    reading,
    json['comparison'],
    readExpression(reading, json['left'], scopeOf(left)),
    readExpression(reading, json['right'], scopeOf(right)),
  );
}

function readAggregate(reading: Reading, json: JsonObject): Relation {
  onlyKnown(reading, json, 'an aggregate', [
    'type',
    'children',
    'expressions',
    'group_index',
    'aggregate_index',
    'groupings_index',
    'groups',
    'grouping_sets',
    'grouping_functions',
  ]);
  const input = readInput(reading, json);
  const scope = scopeOf(input);
  const keys = readOutputs(reading, json['groups'], scope);
  if (!isPlainGrouping(json, keys.length)) declineConstruct(reading, 'GROUPING SETS, ROLLUP or CUBE');
  const aggregates = objectsOf(json['expressions']).map((each, i) => {
    const call = readAggregateCall(reading, each, scope, reading.choices.get(json)?.get(i));
    return {column: freshColumn(reading, labelOf(each, call.name), call.type), call};
  });
  return {kind: 'aggregate', input, grouped: keys.length > 0, keys, aggregates};
}

/** One set of all the keys; decorrelated aggregates have none written. */
function isPlainGrouping(json: JsonObject, keys: number): boolean {
  if (json['grouping_functions'] !== undefined) return false;
  const sets = listOf(json['grouping_sets']);
  const [only] = sets;
  return sets.length === 0 || (sets.length === 1 && keys > 0 && listOf(only).length === keys);
}

function readDistinct(reading: Reading, json: JsonObject): Relation {
  onlyKnown(reading, json, 'DISTINCT', ['type', 'children', 'distinct_type', 'distinct_targets']);
  const input = readInput(reading, json);
  const columns = columnsOfRelation(input);
  const targets = readAll(reading, json['distinct_targets'], scopeOf(input));
  const isOverAll = columns.every(({id}) => targets.some((target) => target.kind === 'column' && target.id === id));
  if (!isOverAll && reading.reasons.length === 0)
    declineConstruct(reading, 'DISTINCT under a collation or over an INTERVAL');
  const keys = columns.map((each) => ({column: freshColumn(reading, each.name, each.type), expression: column(each)}));
  return {kind: 'aggregate', input, grouped: true, keys, aggregates: []};
}

function readUnion(reading: Reading, json: JsonObject): Relation {
  // Without ALL, a DISTINCT stands above it.
  onlyKnown(reading, json, 'UNION', [
    'type',
    'children',
    'table_index',
    'column_count',
    'setop_all',
    'allow_out_of_order',
  ]);
  const inputs = objectsOf(json['children']).map((child) => readOperator(reading, child));
  const columns = columnsOfRelation(inputs[0] ?? hole).map(({name, type}) => freshColumn(reading, name, type));
  const fits = inputs.every((input) => columnsOfRelation(input).every(({type}, i) => type === columns[i]?.type));
  if (!fits && reading.reasons.length === 0) declineConstruct(reading, 'UNION ALL of different types');
  const [only] = inputs;
  // Its other side was found to be empty.
  return inputs.length === 1 && only ? only : {kind: 'union-all', inputs, columns};
}

/**
 * A dynamic table is a multiset: an order without LIMIT says nothing. But DuckDB's sort gives back the columns that it sorts by from
 * its own keys, in which -0.0 is 0.0 (seen in 1.5.5), and what we read gives what the query gives. A group shows either of them
 * anyway.
 */
function readOrderBy(reading: Reading, json: JsonObject): Relation {
  onlyKnown(reading, json, 'ORDER BY', ['type', 'children', 'orders', 'projection_map']);
  const input = readInput(reading, json);
  const sorted = new Set(
    objectsOf(json['orders']).flatMap(({expression}) => {
      const isColumn = isObject(expression) && expression['expression_class'] === 'BOUND_REF';
      const found = isColumn ? columnsOfRelation(input)[integerOf(expression['index'])] : undefined;
      return found !== undefined && hasFloats(found.type) && !isGroupKey(input, found.id) ? [found.id] : [];
    }),
  );
  const outputs = columnsOfRelation(input).map((kept): Output => {
    if (!sorted.has(kept.id)) return {column: kept, expression: column(kept)};
    if (!isFloat(kept.type)) declineConstruct(reading, `ORDER BY over floats within ${kept.type}`);
    return {column: freshColumn(reading, kept.name, kept.type), expression: withoutSign(kept)};
  });
  const ordered: Relation = sorted.size === 0 ? input : {kind: 'project', input, outputs};
  return projected(ordered, json['projection_map']);
}

function isFloat(type: string): boolean {
  return type === 'FLOAT' || type === 'DOUBLE';
}

/** In a nested type too. */
function hasFloats(type: string): boolean {
  return /\b(FLOAT|DOUBLE)\b/.test(type);
}

/** −0.0 + 0.0 is 0.0, and of the several NaN there is one; every other number stays. */
function withoutSign(float: Column): Expression {
  const {type} = float;
  const constant = (value: string): Expression => ({kind: 'constant', sql: `CAST('${value}' AS ${type})`, type});
  const isNaN: Expression = {kind: 'call', name: 'isnan', arguments: [column(float)], type: 'BOOLEAN'};
  const sum: Expression = {kind: 'call', name: '+', arguments: [column(float), constant('0')], type};
  return {kind: 'case', branches: [{when: isNaN, then: constant('nan')}], otherwise: sum, type};
}

/** Whether a column is what an aggregate groups by, passed on by filters and projections. */
function isGroupKey(relation: Relation, id: number): boolean {
  if (relation.kind === 'filter') return isGroupKey(relation.input, id);
  if (relation.kind === 'aggregate') return relation.keys.some((key) => key.column.id === id);
  if (relation.kind !== 'project') return false;
  const found = relation.outputs.find((made) => made.column.id === id);
  return found?.expression.kind === 'column' && isGroupKey(relation.input, found.expression.id);
}

/** A CTE is read anew wherever it is referred to, with column ids of its own each time. */
function readCte(reading: Reading, json: JsonObject): Relation {
  onlyKnown(reading, json, 'a CTE', ['type', 'children', 'table_index', 'column_count', 'ctename', 'materialize']);
  const [plan, rest] = objectsOf(json['children']);
  const name = textOf(json['ctename']);
  const cte = {plan: plan ?? {}, name, references: 0, isInexact: false};
  reading.ctes.set(integerOf(json['table_index']), cte);
  const relation = readOperator(reading, rest);
  if (cte.references > 1 && cte.isInexact) {
    decline(reading, {
      kind: 'inexact',
      construct: `an aggregate over floats in the CTE "${name}", which is read more than once,`,
    });
  }
  return relation;
}

function readCteReference(reading: Reading, json: JsonObject): Relation {
  onlyKnown(reading, json, 'a CTE', [
    'type',
    'table_index',
    'cte_index',
    'chunk_types',
    'bound_columns',
    'is_recurring',
  ]);
  const cte = reading.ctes.get(integerOf(json['cte_index']));
  if (cte === undefined || json['is_recurring'] === true) return declineAs(reading, 'a recursive CTE');
  cte.references += 1;
  const relation = readOperator(reading, cte.plan);
  cte.isInexact ||= hasInexactAggregate(relation);
  return relation;
}

function hasInexactAggregate(relation: Relation): boolean {
  const isInexact =
    relation.kind === 'aggregate' && relation.aggregates.some(({call}) => exactness(call).kind !== 'exact');
  return isInexact || inputsOf(relation).some(hasInexactAggregate);
}

function readValues(reading: Reading, json: JsonObject): Relation {
  onlyKnown(reading, json, 'VALUES', ['type', 'children', 'table_index', 'expr_types', 'expressions']);
  const isPlain = objectsOf(json['children']).every((child) => child['type'] === 'LOGICAL_DUMMY_SCAN');
  if (!isPlain) return declineAs(reading, 'VALUES over a subquery');
  const columns = listOf(json['expr_types']).map((type, i) =>
    freshColumn(reading, `col${i}`, planType(type) ?? unknownType(reading)),
  );
  const rows = listOf(json['expressions']).map((row) => readAll(reading, row, []));
  return {kind: 'values', columns, rows};
}

function readEmpty(reading: Reading, json: JsonObject): Relation {
  onlyKnown(reading, json, 'an empty result', ['type', 'return_types', 'bindings']);
  const columns = listOf(json['return_types']).map((type, i) =>
    freshColumn(reading, `col${i}`, planType(type) ?? unknownType(reading)),
  );
  return {kind: 'values', columns, rows: []};
}

function readInput(reading: Reading, json: JsonObject): Relation {
  return readOperator(reading, listOf(json['children'])[0]);
}

function readOutputs(reading: Reading, json: Json | undefined, scope: Scope): readonly Output[] {
  return objectsOf(json).map((each) => {
    const expression = readExpression(reading, each, scope);
    return {column: freshColumn(reading, labelOf(each, ''), outputType(reading, each, expression)), expression};
  });
}

function outputType(reading: Reading, json: JsonObject, expression: Expression): string {
  if (expression.kind === 'compare' || expression.kind === 'logical') return 'BOOLEAN';
  return json['return_type'] === undefined ? expression.type : typeOf(reading, json);
}

/** The label is what the user called it; names that nobody gave are long expressions. */
function labelOf(json: JsonObject, otherwise: string): string {
  return textOf(json['alias']) || otherwise;
}

function scopeOf(relation: Relation): Scope {
  return columnsOfRelation(relation).map(column);
}

/** The columns that a projection map lets through; without one, all. */
function chosen(input: Relation, map: Json | undefined): readonly Column[] {
  const columns = columnsOfRelation(input);
  if (map === undefined || listOf(map).length === 0) return columns;
  return listOf(map).flatMap((place) => columns[integerOf(place)] ?? []);
}

function projected(input: Relation, map: Json | undefined): Relation {
  const kept = chosen(input, map);
  return kept.length === columnsOfRelation(input).length ? input : passOn(input, kept);
}

function passOn(input: Relation, columns: readonly Column[]): Relation {
  return {kind: 'project', input, outputs: columns.map((each) => ({column: each, expression: column(each)}))};
}

function unknownType(reading: Reading): string {
  declineConstruct(reading, 'such a type');
  return 'UNKNOWN';
}

/** Declines an operator by its name in words, and goes on below it. */
function declineOperator(reading: Reading, json: JsonObject): Relation {
  const {reasons, below} = describeOperator(json);
  for (const reason of reasons) decline(reading, reason);
  for (const child of below) readOperator(reading, child);
  return hole;
}

function declineAs(reading: Reading, construct: string): Relation {
  declineConstruct(reading, construct);
  return hole;
}
