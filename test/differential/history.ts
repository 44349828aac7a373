import type {Draws} from './draws.ts';
import {predicate, type Scope} from './expressions.ts';
import {anyValue, constant, type Column} from './kinds.ts';

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

/** What happens to the tables between two refreshes: none to a few statements, each a commit of its own. */
export function step(draws: Draws, tables: readonly Table[], inlines: boolean): readonly string[] {
  if (draws.chance(8)) return [];
  return draws
    .many(1, 4, () => {
      const table = draws.one(tables);
      return draws.chance(15) ? [relaid(draws, table, inlines)] : draws.weighted(happenings)(draws, table);
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
  [2, (_, table) => [`INSERT INTO ${table.sql} SELECT * FROM ${table.copy}`]],
  [
    1,
    (draws, table) => [
      `DELETE FROM ${table.sql} WHERE ${condition(draws, table)}`,
      `INSERT INTO ${table.sql} SELECT * FROM ${table.copy}`,
    ],
  ],
  [2, writtenUnchanged],
  [2, takenAwayAndPutBack],
  [2, cameAndWent],
  [2, together],
  [4, signsChanged],
];

export function insertion(table: Table, rows: readonly string[]): string {
  return `INSERT INTO ${table.sql} VALUES ${rows.join(', ')}`;
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
  const names = table.columns.map(({name}) => name).join(', ');
  return [`INSERT INTO ${table.sql} SELECT * FROM ${table.sql} ORDER BY ${names} LIMIT ${1 + draws.below(3)}`];
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
  const scope: Scope = table.columns.map(({name, kind}) => ({sql: name, kind}));
  return predicate(draws, scope, 1);
}

/**
 * Another layout of the same rows. Sources with inlined rows are never rewritten: then the lake's own time travel goes wrong
 * (ducklake issue 1406).
 */
function relaid(draws: Draws, {schema, name}: Table, inlines: boolean): string {
  const merge = `CALL ducklake_merge_adjacent_files('lake', '${name}', schema => '${schema}')`;
  const flush = `CALL ducklake_flush_inlined_data('lake', schema_name => '${schema}', table_name => '${name}')`;
  const rewrite = `CALL ducklake_rewrite_data_files('lake', '${name}', schema => '${schema}', delete_threshold => 0)`;
  return draws.one(inlines ? [merge, flush] : [merge, rewrite]);
}
