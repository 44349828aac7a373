import {integerOf, isObject, listOf, objectsOf, textOf, type Json, type JsonObject} from './json.ts';

/** What a parsed query names, each with the byte at which it stands in its text (null: not known). */
export type Mention =
  /** A table or view: `[name]`, `[schema, name]` or `[catalog, schema, name]`. CTEs are none. */
  | {readonly kind: 'table'; readonly path: readonly string[]; readonly location: number | null}
  | {
      readonly kind: 'function';
      readonly path: readonly string[];
      readonly isTable: boolean;
      readonly argumentCount: number;
      readonly location: number | null;
    }
  /** A sample that is another one each time it is drawn. */
  | {readonly kind: 'sample'; readonly location: number | null}
  /** Syntax that has no place in the query of a dynamic table. */
  | {readonly kind: 'refused'; readonly what: string; readonly location: number | null};

/** Everything that a tree of `json_serialize_sql` names, in the order of the text. What it does not know is refused. */
export function mentionsOf(tree: JsonObject): readonly Mention[] {
  const mentions: Mention[] = [];
  visit(tree, {ctes: new Set(), isInTableFunction: false}, mentions);
  return mentions;
}

/** `ctes` are the names that hide tables here. */
type Scope = {readonly ctes: ReadonlySet<string>; readonly isInTableFunction: boolean};

function visit(value: Json | undefined, scope: Scope, mentions: Mention[]): void {
  if (Array.isArray(value)) return (value as readonly Json[]).forEach((part) => visit(part, scope, mentions));
  if (!isObject(value)) return;
  const refused = refusal(value);
  if (refused !== null) mentions.push({kind: 'refused', what: refused, location: locationOf(value)});
  const mention = mentioned(value, scope);
  if (mention !== null) mentions.push(mention);
  if (isSampledByChance(value)) mentions.push({kind: 'sample', location: locationOf(value)});
  if (value['class'] !== 'CONSTANT') visitParts(value, scope, mentions);
}

function visitParts(node: JsonObject, outer: Scope, mentions: Mention[]): void {
  const ctes = new Set(outer.ctes);
  const scope = {...outer, ctes};
  for (const cte of objectsOf(isObject(node['cte_map']) ? node['cte_map']['map'] : undefined)) {
    visit(cte['value'], scope, mentions);
    ctes.add(textOf(cte['key']).toLowerCase());
  }
  for (const [key, part] of Object.entries(node)) {
    if (key === 'cte_map') continue;
    if (node['type'] === 'RECURSIVE_CTE_NODE' && key === 'right') {
      visit(part, {...scope, ctes: new Set([...ctes, textOf(node['cte_name']).toLowerCase()])}, mentions);
    } else if (node['type'] === 'TABLE_FUNCTION' && key === 'function' && isObject(part)) {
      // The function itself has been mentioned with the table function.
      visitParts(part, {...scope, isInTableFunction: true}, mentions);
    } else {
      visit(part, scope, mentions);
    }
  }
}

function mentioned(node: JsonObject, {ctes, isInTableFunction}: Scope): Mention | null {
  const location = locationOf(node);
  if (node['type'] === 'BASE_TABLE') {
    const path = pathOf([node['catalog_name'], node['schema_name'], node['table_name']]);
    const name = (path.at(-1) ?? '').toLowerCase();
    const isCte = ctes.has(name) && (path.length === 1 || (path.length === 2 && path[0] === 'recurring'));
    return isCte ? null : {kind: 'table', path, location};
  }
  const [only, ...others] = listOf(node['column_names']);
  if (isInTableFunction && others.length === 0 && timeWords.has(textOf(only).toLowerCase())) {
    return {kind: 'function', path: [textOf(only)], isTable: false, argumentCount: 0, location};
  }
  const isTable = node['type'] === 'TABLE_FUNCTION';
  const call = isTable && isObject(node['function']) ? node['function'] : node;
  if (!isTable && node['class'] !== 'FUNCTION' && node['class'] !== 'WINDOW') return null;
  const path = pathOf([call['catalog'], call['schema'], call['function_name']]);
  return {kind: 'function', path, isTable, argumentCount: listOf(call['children']).length, location};
}

/** REPEATABLE gives a seed. */
function isSampledByChance({sample}: JsonObject): boolean {
  return isObject(sample) && integerOf(sample['seed'], -1) === -1;
}

/** Functions that are written like columns; elsewhere the plan tells which of the two it is. */
const timeWords = new Set(['current_date', 'current_time', 'current_timestamp', 'localtime', 'localtimestamp']);

function pathOf(parts: readonly (Json | undefined)[]): string[] {
  return parts.map(textOf).filter((part) => part !== '');
}

const expressionClasses = new Set(
  `BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION LAMBDA LAMBDA_REF OPERATOR
  POSITIONAL_REFERENCE STAR SUBQUERY WINDOW TYPE`.split(/\s+/),
);

const otherTypes = new Set(
  `SELECT_NODE SET_OPERATION_NODE RECURSIVE_CTE_NODE CTE_NODE
  BASE_TABLE SUBQUERY JOIN TABLE_FUNCTION EXPRESSION_LIST EMPTY PIVOT
  ORDER_MODIFIER LIMIT_MODIFIER LIMIT_PERCENT_MODIFIER DISTINCT_MODIFIER
  ORDER_DEFAULT ORDER_ASCENDING ORDER_DESCENDING ASCENDING DESCENDING`.split(/\s+/),
);

/** What a node is called when it may not be there; a closed list of what may, so that new syntax is not let in unseen. */
function refusal(node: JsonObject): string | null {
  const {class: expressionClass, type} = node;
  if (isObject(node['at_clause'])) return 'time travel (AT)';
  if (type === 'SHOW_REF') return 'DESCRIBE, SHOW or SUMMARIZE';
  if (expressionClass === 'PARAMETER') return 'a parameter';
  if (typeof expressionClass === 'string')
    return expressionClasses.has(expressionClass) ? null : words(expressionClass);
  if (typeof type !== 'string' || type.endsWith('_TYPE_INFO')) return null;
  return otherTypes.has(type) ? null : words(type);
}

function words(name: string): string {
  return name.toLowerCase().replaceAll('_', ' ');
}

function locationOf(node: JsonObject): number | null {
  const location = integerOf(node['query_location'], -1);
  return location < 0 ? null : location;
}
