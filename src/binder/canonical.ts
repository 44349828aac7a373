import {conjuncts, mapParts, substitute, typeOf, type AggregateCall, type Expression} from '../relation/expression.ts';
import {printAggregateCall, printExpression} from '../relation/print-expression.ts';
import {columnsOfRelation, inputsOf, type Relation} from '../relation/relation.ts';
import {raw, type Sql} from '../sql.ts';
import {tableNameText} from '../table-name.ts';

/**
 * A text that two relations share when they say the same, whatever their column ids, and however their filters, joins and
 * projections are nested: each run of these is one block of leaves, conditions and outputs. Widths of decimals are left out: bound
 * again, their arithmetic widens.
 */
export function canonical(relation: Relation): string {
  const block = blockOf(relation);
  return `${outputsOf(relation, block).map(text).join(', ')} of ${blockText(block)}`;
}

type Block = {
  readonly leaves: readonly string[];
  readonly conditions: readonly Expression[];
  /** What each column is in terms of the leaves, whose columns are constants such as `$0.region`. */
  readonly columns: ReadonlyMap<number, Expression>;
};

const missing: Expression = {kind: 'constant', sql: '?', type: 'UNKNOWN'};

function outputsOf(relation: Relation, {columns}: Block): readonly Expression[] {
  return columnsOfRelation(relation).map(({id}) => columns.get(id) ?? missing);
}

function blockText({leaves, conditions}: Block): string {
  return `[${leaves.join('; ')}] where ${[...new Set(conditions.map(text))].toSorted().join(' and ')}`;
}

function blockOf(relation: Relation): Block {
  switch (relation.kind) {
    case 'filter': {
      const input = blockOf(relation.input);
      if (isFalse(relation.condition)) return nothing(relation);
      return {...input, conditions: [...input.conditions, ...conditionsOf(relation.condition, input.columns)]};
    }
    case 'project': {
      const input = blockOf(relation.input);
      if (input.leaves.length === 1 && input.leaves[0] === noRows) return nothing(relation);
      const columns = relation.outputs.map(
        ({column, expression}) => [column.id, within(input.columns, expression)] as const,
      );
      return {...input, columns: new Map(columns)};
    }
    case 'join': {
      const left = blockOf(relation.left);
      const right = moved(blockOf(relation.right), left.leaves.length);
      const columns = new Map([...left.columns, ...right.columns]);
      return {
        leaves: [...left.leaves, ...right.leaves],
        conditions: [...left.conditions, ...right.conditions, ...conditionsOf(relation.condition, columns)],
        columns,
      };
    }
    case 'values':
      return values(relation);
    case 'aggregate':
      return aggregateLeaf(relation);
    default:
      return leaf(relation, leafText(relation));
  }
}

/** Keys that say the same are one: bound again, DuckDB has them once. */
function aggregateLeaf(relation: Relation & {kind: 'aggregate'}): Block {
  const input = blockOf(relation.input);
  const keys = relation.keys.map(({expression}) => text(within(input.columns, expression)));
  const different = [...new Set(keys)];
  const calls = relation.aggregates.map(({call}) => callText(call, input.columns));
  const leafText = `${relation.grouped ? 'by ' : ''}${different.join(', ')} | ${calls.join(', ')} of ${blockText(input)}`;
  const placeOf = (i: number): number => {
    const key = keys[i];
    return key === undefined ? i - keys.length + different.length : different.indexOf(key);
  };
  return leaf(relation, leafText, placeOf);
}

function within(columns: ReadonlyMap<number, Expression>, expression: Expression): Expression {
  return substitute(expression, (id) => columns.get(id));
}

function conditionsOf(condition: Expression | null, columns: ReadonlyMap<number, Expression>): readonly Expression[] {
  return conjuncts(condition).map((part) => within(columns, part));
}

/** The same block, its leaves numbered from `first`. */
function moved({leaves, conditions, columns}: Block, first: number): Block {
  const move = (part: Expression): Expression => {
    if (part.kind !== 'constant') return mapParts(part, move);
    const [, number, rest] = /^\$(\d+)(\..*)$/s.exec(part.sql) ?? [];
    return number === undefined ? part : {...part, sql: `$${Number(number) + first}${rest}`};
  };
  return {
    leaves,
    conditions: conditions.map(move),
    columns: new Map([...columns].map(([id, part]) => [id, move(part)])),
  };
}

/** A relation that is one leaf: `$0.` and its columns by place, those of a scan by name. */
function leaf(relation: Relation, leafText: string, placeOf = (i: number): number => i): Block {
  const columns = columnsOfRelation(relation).map(({id, name, type}, i): [number, Expression] => [
    id,
    {kind: 'constant', sql: relation.kind === 'scan' ? `$0.${JSON.stringify(name)}` : `$0.#${placeOf(i)}`, type},
  ]);
  return {leaves: [leafText], conditions: [], columns: new Map(columns)};
}

const noRows = 'nothing';

/** Without rows it matters only how many columns there are. */
function nothing(relation: Relation): Block {
  return leaf({kind: 'values', columns: columnsOfRelation(relation), rows: []}, noRows);
}

function isFalse(condition: Expression): boolean {
  return /^(false|CAST\('f' AS BOOLEAN\))$/.test(text(condition));
}

function leafText(relation: Relation): string {
  switch (relation.kind) {
    case 'scan':
      return tableNameText(relation.source);
    case 'union-all':
      return unionParts(relation).join(' + ');
    default:
      return `${relation.kind} ${inputsOf(relation).map(canonical).join(' ')}`;
  }
}

function callText(call: AggregateCall, columns: ReadonlyMap<number, Expression>): string {
  const inner = (expression: Expression): Expression => oriented(normal(within(columns, expression)));
  const {arguments: inputs, filter, orderBy} = call;
  const normalized: AggregateCall = {
    ...call,
    arguments: inputs.map(inner),
    filter: filter === null ? null : inner(filter),
    orderBy: orderBy.map((term) => ({...term, expression: inner(term.expression)})),
  };
  return unnamed(printAggregateCall(normalized, columnSql).text);
}

/** A union of unions is one, in order. */
function unionParts(relation: Relation & {kind: 'union-all'}): readonly string[] {
  return relation.inputs.flatMap((input) =>
    input.kind === 'union-all' ? unionParts(input) : [`(${canonical(input)})`],
  );
}

/** One row is no leaf at all, several rows are a union of single ones. */
function values(relation: Relation & {kind: 'values'}): Block {
  const cells = (row: readonly Expression[]): readonly Expression[] =>
    relation.columns.map(({type}, i) => ({kind: 'cast', input: row[i] ?? missing, tries: false, type}));
  const [first, ...others] = relation.rows;
  if (first !== undefined && others.length === 0) {
    const row = cells(first);
    return {leaves: [], conditions: [], columns: new Map(relation.columns.map(({id}, i) => [id, row[i] ?? missing]))};
  }
  const rows = relation.rows.map((row) => `(${cells(row).map(text).join(', ')} of [] where )`);
  return rows.length === 0 ? nothing(relation) : leaf(relation, rows.join(' + '));
}

function text(expression: Expression): string {
  return unnamed(printExpression(oriented(normal(expression)), columnSql).text);
}

/** Only the parameters of lambdas are left of columns. */
function columnSql(id: number): Sql {
  return raw(`missing_${id}`);
}

/** Parameters of lambdas by the order in which they come. */
function unnamed(printed: string): string {
  const names: string[] = [];
  return printed.replace(/"p_\d+"/g, (name) => {
    if (!names.includes(name)) names.push(name);
    return `p${names.indexOf(name)}`;
  });
}

/** Without widths of decimals, without casts to the type that is there already, and without AND in AND. */
function normal(expression: Expression): Expression {
  const inner = mapParts(expression, normal);
  const typed = 'type' in inner ? {...inner, type: withoutWidth(inner.type)} : inner;
  if (typed.kind === 'cast' && !typed.tries && typeOf(typed.input) === typed.type) return typed.input;
  if (typed.kind === 'call') return calledOnce(typed);
  if (typed.kind === 'constant') return {...typed, sql: withoutWidth(typed.sql)};
  if (typed.kind !== 'logical') return typed;
  const {operator} = typed;
  const parts = typed.arguments.flatMap((part) =>
    part.kind === 'logical' && part.operator === operator ? part.arguments : [part],
  );
  return {...typed, arguments: parts};
}

/** Bound again, DuckDB puts these round its comparisons, and sorts a list that was made of distinct values, once more. */
const idempotent = new Set(['normalized_interval', 'lower', 'strip_accents', 'list_sort']);

function calledOnce(call: Expression & {kind: 'call'}): Expression {
  const [first, ...others] = call.arguments;
  const isTwice = first?.kind === 'call' && first.name === call.name && idempotent.has(call.name);
  return isTwice ? {...call, arguments: [...first.arguments.slice(0, 1), ...others]} : call;
}

function withoutWidth(type: string): string {
  return type.replace(/DECIMAL\(\d+,/g, 'DECIMAL(0,');
}

const mirrored = {'=': '=', '<>': '<>', '<': '>', '<=': '>=', '>': '<', '>=': '<='} as const;

/** A comparison with its sides in the order of their texts. */
function oriented(expression: Expression): Expression {
  const inner = mapParts(expression, oriented);
  if (inner.kind !== 'compare') return inner;
  const {operator, left, right} = inner;
  if (printExpression(left, columnSql).text <= printExpression(right, columnSql).text) return inner;
  const turned = operator === 'IS DISTINCT FROM' || operator === 'IS NOT DISTINCT FROM' ? operator : mirrored[operator];
  return {...inner, operator: turned, left: right, right: left};
}
