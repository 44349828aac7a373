import {column, conjunction, type Column, type Expression} from '../relation/expression.ts';
import type {Relation} from '../relation/relation.ts';
import {integerOf, isObject, listOf, objectsOf, textOf, type Json, type JsonObject} from './json.ts';
import {planType, typeName} from './plan-type.ts';
import {planValue, textConstant} from './plan-value.ts';
import {compare, readExpression} from './read-expression.ts';
import {declineConstruct, declined, freshColumn, onlyKnown, type Reading} from './reading.ts';

const keys = [
  'type',
  'children',
  'table_index',
  'returned_types',
  'names',
  'projection_ids',
  'table_filters',
  'name',
  'arguments',
  'original_arguments',
  'catalog_name',
  'schema_name',
  'has_serialize',
  'function_data',
  'projected_input',
  'column_indexes',
];

/** A GET over a table of the lake: its columns, and the filters that were pushed into it. Null: declined. */
export function readScan(reading: Reading, json: JsonObject): Relation | null {
  const name = textOf(json['name']);
  const data = json['function_data'];
  if (name !== 'ducklake_scan' || !isObject(data)) {
    declineConstruct(reading, name === 'unnest' ? 'unnest' : `the table function ${name}`);
    return null;
  }
  onlyKnown(reading, json, 'a scan', keys);
  onlyKnown(reading, data, 'a scan', [
    'catalog_name',
    'schema_name',
    'table_name',
    'snapshot',
    'scan_type',
    'has_start_snapshot',
  ]);
  if (
    integerOf(data['scan_type']) !== 0 ||
    data['has_start_snapshot'] === true ||
    listOf(json['children']).length > 0
  ) {
    declineConstruct(reading, 'a scan of changes');
    return null;
  }
  return scan(reading, json, {schema: textOf(data['schema_name']), name: textOf(data['table_name'])});
}

function scan(reading: Reading, json: JsonObject, source: {schema: string; name: string}): Relation {
  const read = objectsOf(json['column_indexes']).map((index) => columnNumber(reading, index));
  const filters = objectsOf(isObject(json['table_filters']) ? json['table_filters']['filters'] : undefined);
  const filtered = filters.map((filter) => integerOf(filter['key']));
  const numbers = [...new Set([...read, ...filtered])];
  const columns = new Map(numbers.map((number) => [number, scannedColumn(reading, json, number)]));
  const at = (number: number | undefined): Column => columns.get(number ?? -1) ?? freshColumn(reading, '', 'UNKNOWN');
  const scanned: Relation = {kind: 'scan', source, columns: [...columns.values()], at: 'new'};
  const condition = conjunction(
    filters.map((filter) => readFilter(reading, filter['value'], column(at(integerOf(filter['key']))))),
  );
  const kept: Relation = condition === null ? scanned : {kind: 'filter', input: scanned, condition};
  const chosen = listOf(json['projection_ids']).map((place) => read[integerOf(place)]);
  const outputs = (chosen.length === 0 ? read : chosen).map(at);
  const isWhole = outputs.length === columns.size && outputs.every((output, i) => output.id === scanned.columns[i]?.id);
  if (isWhole) return kept;
  return {kind: 'project', input: kept, outputs: outputs.map((each) => ({column: each, expression: column(each)}))};
}

/** The table's own number of a column; anything but a plain column (rowid, a part of a struct) is declined. */
function columnNumber(reading: Reading, index: JsonObject): number {
  onlyKnown(reading, index, 'a scan of a column', ['index']);
  const {index: number} = index;
  if (typeof number === 'string') declineConstruct(reading, 'rowid');
  return integerOf(number);
}

function scannedColumn(reading: Reading, json: JsonObject, number: number): Column {
  const returned = listOf(json['returned_types'])[number];
  const type = planType(returned);
  const name = textOf(listOf(json['names'])[number]);
  if (type === null || name === '') declineConstruct(reading, `column "${name}" (${typeName(returned)})`);
  return freshColumn(reading, name, type ?? 'UNKNOWN');
}

/** A filter on one value of a scan. */
function readFilter(reading: Reading, json: Json | undefined, value: Expression): Expression {
  const filter = isObject(json) ? json : {};
  const parts = (): readonly Expression[] =>
    listOf(filter['child_filters']).map((part) => readFilter(reading, part, value));
  const only = (...known: readonly string[]): void =>
    onlyKnown(reading, filter, 'a filter of a scan', ['filter_type', ...known]);
  switch (filter['filter_type']) {
    case 'CONSTANT_COMPARISON': {
      only('comparison_type', 'constant');
      const constant = planValue(filter['constant']);
      if (constant === null) return decline(reading, 'a filter on such a constant');
      return compare(reading, filter['comparison_type'], value, constant);
    }
    case 'IS_NULL':
    case 'IS_NOT_NULL':
      only();
      return {
        kind: 'operator',
        operator: filter['filter_type'] === 'IS_NULL' ? 'IS NULL' : 'IS NOT NULL',
        arguments: [value],
        type: 'BOOLEAN',
      };
    case 'CONJUNCTION_AND':
    case 'CONJUNCTION_OR':
      only('child_filters');
      return {kind: 'logical', operator: filter['filter_type'] === 'CONJUNCTION_OR' ? 'or' : 'and', arguments: parts()};
    case 'EXPRESSION_FILTER':
      only('expr');
      return readExpression(reading, filter['expr'], [value]);
    case 'STRUCT_EXTRACT':
      only('child_idx', 'child_name', 'child_filter');
      return readFilter(reading, filter['child_filter'], fieldOf(filter, value));
    default:
      return decline(reading, `the filter ${textOf(filter['filter_type'])} of a scan`);
  }
}

function fieldOf(filter: JsonObject, value: Expression): Expression {
  return {
    kind: 'call',
    name: 'struct_extract',
    arguments: [value, textConstant(textOf(filter['child_name']))],
    type: 'UNKNOWN',
  };
}

function decline(reading: Reading, construct: string): Expression {
  declineConstruct(reading, construct);
  return declined;
}
