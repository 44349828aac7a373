import {unreachable} from '../assert.ts';
import {identifier, indented, join, nothing, raw, sql} from '../sql.ts';
import type {Sql} from '../sql.ts';
import {conjuncts} from './expression.ts';
import type {Column, Expression} from './expression.ts';
import {printAggregateCall, printExpression} from './print-expression.ts';
import type {ColumnSql} from './print-expression.ts';
import {columnsOfRelation} from './relation.ts';
import type {Aggregate, Join, Project, Relation, Restrict, Scan, Staged} from './relation.ts';

/** What a printed relation can't know by itself. */
export type Names = {
  /** A scan as an item of FROM, under the alias given: `"lake"."main"."orders" AS orders AT (VERSION => 7)`. */
  readonly scan: (scan: Scan, alias: Sql) => Sql;
  /** Whether a column of a staged table holds a null. Yes is always right; no lets `IN` be used, by which the lake skips files. */
  readonly mayBeNull: (staged: Staged, column: Column) => boolean;
};

/** The relation as one SELECT whose columns are named by `columnName`, in the relation's order. */
export function print(relation: Relation, names: Names): Sql {
  const block = blockOf(relation, {...names, taken: new Set()});
  return select(block, columnsOfRelation(relation));
}

/** What a column is called in printed SQL: its name as far as that is a plain word, and its id, which makes it unique. */
export function columnName({id, name}: Column): string {
  return /^[a-z_][a-z0-9_]{0,40}$/i.test(name) ? `${name.toLowerCase()}_${id}` : `c_${id}`;
}

/** One SELECT in the making: what it reads, and what each column is in its terms. */
type Block = {
  readonly from: Sql;
  readonly where: readonly Sql[];
  readonly groupBy: Sql;
  readonly columns: ReadonlyMap<number, Sql>;
  /** Whether `from` is one item, so that it can stand on the right of a join. */
  readonly isItem: boolean;
};

type Printing = Names & {readonly taken: Set<string>};

function select({from, where, groupBy, columns}: Block, outputs: readonly Column[]): Sql {
  const list = outputs.map(
    (column) => sql`${columns.get(column.id) ?? raw('NULL')} AS ${identifier(columnName(column))}`,
  );
  const clauses = [
    sql`SELECT ${list.length === 0 ? raw('1') : join(list)}`,
    from === nothing ? nothing : sql`FROM ${from}`,
    where.length === 0 ? nothing : sql`WHERE ${join(where, ' AND ')}`,
    groupBy,
  ];
  return join(
    clauses.filter((clause) => clause !== nothing),
    '\n',
  );
}

function blockOf(relation: Relation, printing: Printing): Block {
  switch (relation.kind) {
    case 'scan':
      return table(relation.columns, relation.source.name, (alias) => printing.scan(relation, alias), printing);
    case 'staged':
      return table(relation.columns, relation.name, (alias) => named(identifier(relation.name), alias), printing);
    case 'values':
      return values(relation, printing);
    case 'filter': {
      const input = openBlock(relation.input, printing);
      return {
        ...input,
        where: [...input.where, ...conjuncts(relation.condition).map((part) => expressionIn(input, part))],
      };
    }
    case 'project':
      return project(relation, printing);
    case 'join':
      return joined(relation, printing);
    case 'aggregate':
      return aggregate(relation, printing);
    case 'union-all':
      return derived(unionAll(relation, printing), relation.columns, 'together', printing);
    case 'restrict':
      return restricted(relation, printing);
    default:
      return unreachable(relation);
  }
}

/** A block that more clauses may be added to: an aggregate's becomes a derived table first. */
function openBlock(relation: Relation, printing: Printing): Block {
  const block = blockOf(relation, printing);
  if (block.groupBy === nothing) return block;
  const columns = columnsOfRelation(relation);
  return derived(select(block, columns), columns, 'grouped', printing);
}

/** A block that may be an item of FROM beside others. */
function item(relation: Relation, printing: Printing): Block {
  const block = openBlock(relation, printing);
  if (block.isItem && block.where.length === 0) return block;
  const columns = columnsOfRelation(relation);
  return derived(select(block, columns), columns, 'part', printing);
}

function table(columns: readonly Column[], name: string, from: (alias: Sql) => Sql, printing: Printing): Block {
  const alias = freshAlias(name, printing);
  return {
    from: from(alias),
    where: [],
    groupBy: nothing,
    columns: new Map(columns.map((column) => [column.id, sql`${alias}.${identifier(column.name)}`])),
    isItem: true,
  };
}

function derived(query: Sql, columns: readonly Column[], name: string, printing: Printing): Block {
  const alias = freshAlias(name, printing);
  return {
    from: sql`(\n${indented(query)}\n) AS ${alias}`,
    where: [],
    groupBy: nothing,
    columns: new Map(columns.map((column) => [column.id, sql`${alias}.${identifier(columnName(column))}`])),
    isItem: true,
  };
}

/** An item of FROM under an alias; its own name needs none. */
function named(item: Sql, alias: Sql): Sql {
  return item.text === alias.text ? item : sql`${item} AS ${alias}`;
}

function freshAlias(name: string, {taken}: Printing): Sql {
  let alias = name;
  for (let n = 2; taken.has(alias.toLowerCase()); n++) alias = `${name}_${n}`;
  taken.add(alias.toLowerCase());
  return identifier(alias);
}

function values({columns, rows}: Relation & {kind: 'values'}, printing: Printing): Block {
  const noColumns = (): Sql => raw('NULL');
  const row = (cells: readonly Expression[]): Sql => {
    const list = columns.map((column, i) => {
      const cell = cells[i];
      const value = cell === undefined ? raw('NULL') : printExpression(cell, noColumns);
      return sql`CAST(${value} AS ${raw(column.type)}) AS ${identifier(columnName(column))}`;
    });
    return sql`SELECT ${list.length === 0 ? raw('1') : join(list)}`;
  };
  if (rows.length === 1 && columns.length === 0) {
    return {from: nothing, where: [], groupBy: nothing, columns: new Map(), isItem: false};
  }
  const query = rows.length === 0 ? sql`${row([])} WHERE false` : join(rows.map(row), '\nUNION ALL ');
  return derived(query, columns, 'constants', printing);
}

/** Columns that are only passed on are put in place; what is computed is a SELECT of its own, so that it is computed once. */
function project({input, outputs}: Project, printing: Printing): Block {
  const block = openBlock(input, printing);
  const columns = new Map(outputs.map(({column, expression}) => [column.id, expressionIn(block, expression)]));
  const passesOn = outputs.every(({expression}) => expression.kind === 'column');
  const projected = {...block, columns};
  if (passesOn) return projected;
  const outputColumns = outputs.map(({column}) => column);
  return derived(select(projected, outputColumns), outputColumns, 'computed', printing);
}

function joined({left, right, condition}: Join, printing: Printing): Block {
  const l = openBlock(left, printing);
  const first = l.from === nothing ? item(left, printing) : l;
  const second = item(right, printing);
  const columns = new Map([...first.columns, ...second.columns]);
  const on = conjuncts(condition).map((part) => printExpression(part, columnsIn(columns)));
  const from =
    on.length === 0
      ? sql`${first.from}\nCROSS JOIN ${second.from}`
      : sql`${first.from}\nINNER JOIN ${second.from} ON ${join(on, ' AND ')}`;
  return {from, where: first.where, groupBy: nothing, columns, isItem: false};
}

function aggregate({input, grouped, keys, aggregates}: Aggregate, printing: Printing): Block {
  const inner = openBlock(input, printing);
  // A constant in GROUP BY would be read as a column's position, so every key is a column of the input.
  const plain = keys.every(({expression}) => expression.kind === 'column');
  const block = plain ? inner : withKeys(inner, input, keys, printing);
  const keyColumns = keys.map(({column, expression}): [number, Sql] => [
    column.id,
    plain ? expressionIn(inner, expression) : (block.columns.get(column.id) ?? raw('NULL')),
  ]);
  const columns = new Map([
    ...keyColumns,
    ...aggregates.map(({column, call}): [number, Sql] => [
      column.id,
      printAggregateCall(call, columnsIn(block.columns)),
    ]),
  ]);
  const by = grouped && keys.length > 0 ? sql`GROUP BY ${join(keyColumns.map(([, key]) => key))}` : nothing;
  const block2 = {...block, columns};
  if (by !== nothing) return {...block2, groupBy: by};
  const outputs = [...keys, ...aggregates].map(({column}) => column);
  // HAVING makes an aggregate of what would else be a row for each row read.
  const query = grouped
    ? sql`${select(block2, outputs)}\nHAVING count(*) > 0`
    : sql`${select(block2, outputs)}${aggregates.length === 0 ? raw('\nHAVING true') : nothing}`;
  return derived(query, outputs, 'total', printing);
}

function withKeys(block: Block, input: Relation, keys: Aggregate['keys'], printing: Printing): Block {
  const columns = [...columnsOfRelation(input), ...keys.map(({column}) => column)];
  const computed = new Map([
    ...block.columns,
    ...keys.map(({column, expression}): [number, Sql] => [column.id, expressionIn(block, expression)]),
  ]);
  return derived(select({...block, columns: computed}, columns), columns, 'keyed', printing);
}

function unionAll({inputs, columns}: Relation & {kind: 'union-all'}, printing: Printing): Sql {
  const parts = inputs.map((input) => {
    const block = blockOf(input, printing);
    const renamed = columnsOfRelation(input).map((column, i): [number, Sql] => {
      const output = columns[i];
      const cell = block.columns.get(column.id) ?? raw('NULL');
      return [
        output?.id ?? column.id,
        column.type === output?.type ? cell : sql`CAST(${cell} AS ${raw(output?.type ?? column.type)})`,
      ];
    });
    return select({...block, columns: new Map(renamed)}, columns);
  });
  return join(parts, '\nUNION ALL\n');
}

/**
 * A semi-join on keys, null-safe. `IN` forgets nulls, but only `IN` lets DuckLake skip files (of 8 files it read 2, with IS NOT
 * DISTINCT FROM all 8), so it is used whenever the keys hold no null.
 */
function restricted({input, keys, on}: Restrict, printing: Printing): Block {
  const block = openBlock(input, printing);
  const terms = on.map(({expression, key}) => ({value: expressionIn(block, expression), key}));
  if (!on.some(({key}) => printing.mayBeNull(keys, key))) {
    const list = sql`SELECT ${join(terms.map(({key}) => identifier(key.name)))} FROM ${identifier(keys.name)}`;
    const left =
      terms.length === 1 ? join(terms.map(({value}) => value)) : sql`(${join(terms.map(({value}) => value))})`;
    return {...block, where: [...block.where, sql`${left} IN (${list})`]};
  }
  const source = block.from === nothing ? item(input, printing) : block;
  const alias = freshAlias(keys.name, printing);
  const condition = terms.map(({value, key}) => sql`${value} IS NOT DISTINCT FROM ${alias}.${identifier(key.name)}`);
  const from = sql`${source.from}\nSEMI JOIN ${identifier(keys.name)} AS ${alias} ON ${join(condition, ' AND ')}`;
  return {...source, from, isItem: false};
}

function expressionIn(block: Block, expression: Expression): Sql {
  return printExpression(expression, columnsIn(block.columns));
}

function columnsIn(columns: ReadonlyMap<number, Sql>): ColumnSql {
  return (id) => columns.get(id) ?? raw(`missing_column_${id}`);
}
