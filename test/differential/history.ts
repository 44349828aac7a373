import type {Draws} from './draws.ts';
import {expression, predicate, type Scope} from './expressions.ts';
import {anyValue, constant, typeOfKind, type Column} from './kinds.ts';

export type Table = {
  /** As it is written in SQL. */
  readonly sql: string;
  readonly columns: readonly Column[];
  /** A table with the first rows of this one, for putting them back. */
  readonly copy: string;
  /** Its schema and name as texts. */
  readonly schema: string;
  readonly name: string;
};

/**
 * Where a lake's small rows are, and what may happen to them there. Files: nothing is inlined. Inlined: for good. Flushed: inlined,
 * and now and then written to files; the table stays what it is then, for DuckDB dies of a count over rows that were flushed from
 * before and after an ALTER.
 */
export type Layout = 'files' | 'inlined' | 'flushed';

/** What happens to the tables between two refreshes: none to a few statements, each a commit of its own. */
export function step(draws: Draws, tables: readonly Table[], layout: Layout): readonly string[] {
  if (draws.chance(8)) return [];
  return draws
    .many(1, 4, () => {
      const table = draws.one(tables);
      if (draws.chance(15)) return [relaid(draws, table, layout)];
      if (layout !== 'flushed' && draws.chance(8)) return draws.one([otherColumns, otherTable])(draws, table);
      return draws.weighted(happenings)(draws, table);
    })
    .flat();
}

type Happening = (draws: Draws, table: Table) => readonly string[];

const happenings: readonly (readonly [number, Happening])[] = [
  [
    8,
    (draws, table) => [
      insertion(
        table,
        draws.many(1, 3, () => row(draws, table)),
      ),
    ],
  ],
  [6, (draws, table) => [`DELETE FROM ${table.sql} WHERE ${condition(draws, table)}`]],
  [6, (draws, table) => [update(draws, table)]],
  [3, moveBetweenGroups],
  [3, duplicate],
  [1, (_, table) => [`DELETE FROM ${table.sql}`]],
  [1, (_, table) => [`TRUNCATE ${table.sql}`]],
  [2, (_, table) => [putBack(table)]],
  [1, (draws, table) => [`DELETE FROM ${table.sql} WHERE ${condition(draws, table)}`, putBack(table)]],
  [2, writtenUnchanged],
  [2, takenAwayAndPutBack],
  [2, cameAndWent],
  [2, together],
  [4, signsChanged],
  [3, byExpression],
  [2, byRows],
];

export function insertion(table: Table, rows: readonly string[]): string {
  return `INSERT INTO ${table.sql} (${namesOf(table)}) VALUES ${rows.join(', ')}`;
}

/** By name: there may be columns that were added, and others may have changed places. */
function putBack({sql, copy}: Table): string {
  return `INSERT INTO ${sql} BY NAME SELECT * FROM ${copy}`;
}

function namesOf({columns}: Table): string {
  return columns.map(({name}) => name).join(', ');
}

function scopeOf({columns}: Table): Scope {
  return columns.map(({name, kind}) => ({sql: name, kind}));
}

/** Every row gets a value of its own. */
function byExpression(draws: Draws, table: Table): readonly string[] {
  const {name, kind} = draws.one(table.columns);
  return [
    `UPDATE ${table.sql} SET ${name} = ${expression(draws, kind, scopeOf(table), 2)} WHERE ${condition(draws, table)}`,
  ];
}

/** What happens depends on other rows. */
function byRows(draws: Draws, table: Table): readonly string[] {
  const {name, kind} = draws.one(table.columns);
  const largest = `(SELECT max(${name}) FROM ${table.sql})`;
  return draws.one([
    () => [
      `DELETE FROM ${table.sql} WHERE ${name} IN (SELECT ${name} FROM ${table.copy} WHERE ${condition(draws, table)})`,
    ],
    () => [`UPDATE ${table.sql} SET ${name} = ${largest} WHERE ${condition(draws, table)}`],
    () => [`INSERT INTO ${table.sql} (${name}) SELECT ${anyValue(draws, kind)} FROM ${table.sql} WHERE k > 1`],
  ])();
}

/** Columns come, go, and change their names: what the query reads is there again in the end, and may be another column. */
function otherColumns(draws: Draws, {sql, columns}: Table): readonly string[] {
  const {name, kind} = draws.one(columns);
  const alike = columns.find((column) => column.kind === kind && column.name !== name)?.name;
  const rename = (from: string, to: string): string => `ALTER TABLE ${sql} RENAME COLUMN ${from} TO ${to}`;
  return draws.one([
    () => [`ALTER TABLE ${sql} ADD COLUMN IF NOT EXISTS more INTEGER DEFAULT 5`],
    () => [`ALTER TABLE ${sql} DROP COLUMN IF EXISTS more`],
    () => [rename(name, 'elsewhere'), rename('elsewhere', name)],
    () => [`ALTER TABLE ${sql} DROP COLUMN ${name}`, `ALTER TABLE ${sql} ADD COLUMN ${name} ${typeOfKind[kind]}`],
    () => (alike === undefined ? [] : [rename(name, 'elsewhere'), rename(alike, name), rename('elsewhere', alike)]),
  ])();
}

/** Another table under the same name. */
function otherTable(draws: Draws, table: Table): readonly string[] {
  const {sql, columns, copy, schema, name} = table;
  const types = columns.map((column) => `${column.name} ${typeOfKind[column.kind]}`).join(', ');
  return draws.one([
    () => [`CREATE OR REPLACE TABLE ${sql} AS SELECT * FROM ${copy}`],
    () => [`CREATE OR REPLACE TABLE ${sql} AS SELECT ${namesOf(table)} FROM ${sql} WHERE ${condition(draws, table)}`],
    () => [`DROP TABLE ${sql}`, `CREATE TABLE ${sql} (${types})`, putBack(table)],
    () => [
      `ALTER TABLE ${sql} RENAME TO elsewhere`,
      `ALTER TABLE ${schema}.elsewhere RENAME TO ${schema === 'main' ? sql : `"${name}"`}`,
    ],
  ])();
}

export function row(draws: Draws, table: Table): string {
  return `(${table.columns.map(({kind}) => anyValue(draws, kind)).join(', ')})`;
}

function update(draws: Draws, table: Table): string {
  const {name, kind} = draws.one(table.columns);
  return `UPDATE ${table.sql} SET ${name} = ${anyValue(draws, kind)} WHERE ${condition(draws, table)}`;
}

/** All rows with one value get another: a group vanishes and another grows or appears. */
function moveBetweenGroups(draws: Draws, table: Table): readonly string[] {
  const {name, kind} = draws.one(table.columns);
  return [
    `UPDATE ${table.sql} SET ${name} = ${anyValue(draws, kind)} WHERE ${name} IS NOT DISTINCT FROM ${anyValue(draws, kind)}`,
  ];
}

/** A second copy of rows, so that a row stands for more than one. */
function duplicate(draws: Draws, table: Table): readonly string[] {
  return [`INSERT INTO ${table.sql} SELECT * FROM ${table.sql} ORDER BY ${namesOf(table)} LIMIT ${1 + draws.below(3)}`];
}

/** The feed has an update of every row, which nets to nothing. */
function writtenUnchanged(draws: Draws, table: Table): readonly string[] {
  const {name} = draws.one(table.columns);
  return [`UPDATE ${table.sql} SET ${name} = ${name} WHERE ${condition(draws, table)}`];
}

/** Other rows with the same values: nets to nothing, across commits. */
function takenAwayAndPutBack(draws: Draws, table: Table): readonly string[] {
  const rows = condition(draws, table);
  return [
    `CREATE OR REPLACE TEMP TABLE away AS SELECT * FROM ${table.sql} WHERE ${rows}`,
    `DELETE FROM ${table.sql} WHERE ${rows}`,
    `INSERT INTO ${table.sql} SELECT * FROM away`,
  ];
}

/** The feed has rows that stand in neither end. */
function cameAndWent(draws: Draws, table: Table): readonly string[] {
  const {name, kind} = draws.one(table.columns);
  const value = constant(draws, kind);
  return [
    insertion(table, [row(draws, table)]),
    `UPDATE ${table.sql} SET ${name} = ${value} WHERE ${condition(draws, table)}`,
    `DELETE FROM ${table.sql} WHERE ${name} = ${value}`,
  ];
}

/** 0.0 becomes −0.0 and back: equal, and yet not the same. */
function signsChanged(draws: Draws, table: Table): readonly string[] {
  const floats = table.columns.filter(({kind}) => kind === 'double').map(({name}) => `${name} = -${name}`);
  return floats.length === 0 ? [update(draws, table)] : [`UPDATE ${table.sql} SET ${floats.join(', ')}`];
}

/** Several statements in one commit. */
function together(draws: Draws, table: Table): readonly string[] {
  return ['BEGIN', insertion(table, [row(draws, table)]), update(draws, table), 'COMMIT'];
}

function condition(draws: Draws, table: Table): string {
  return predicate(draws, scopeOf(table), 1);
}

/**
 * Another layout of the same rows. Sources with inlined rows are never rewritten: then the lake's own time travel goes wrong
 * (ducklake issue 1406).
 */
function relaid(draws: Draws, {schema, name}: Table, layout: Layout): string {
  const merge = `CALL ducklake_merge_adjacent_files('lake', '${name}', schema => '${schema}')`;
  const flush = `CALL ducklake_flush_inlined_data('lake', schema_name => '${schema}', table_name => '${name}')`;
  const rewrite = `CALL ducklake_rewrite_data_files('lake', '${name}', schema => '${schema}', delete_threshold => 0)`;
  return draws.one({files: [merge, rewrite], inlined: [merge], flushed: [merge, flush]}[layout]);
}
