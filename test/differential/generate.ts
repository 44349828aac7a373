import type {Scenario} from '../../scenarios/scenario.ts';
import {Draws} from './draws.ts';
import {macro} from './expressions.ts';
import {insertion, row, step, type Layout, type Table} from './history.ts';
import {typeOfKind, type Column, type Kind} from './kinds.ts';
import {query, type Query, type Source} from './query.ts';

/** The choices a scenario was made from, kept apart so that a smaller schema does not turn the query into another one. */
export type Choices = {
  readonly schema: readonly number[];
  readonly query: readonly number[];
  readonly history: readonly number[];
};

export type Generated = {readonly scenario: Scenario; readonly choices: Choices; readonly length: Length};

/** How many steps: a few, as a suite needs that shows one seed after another, or many, for making a lake takes its time. */
export type Length = 'short' | 'long';

const stepsOf: Readonly<Record<Length, {readonly most: number; readonly percent: number}>> = {
  short: {most: 5, percent: 60},
  long: {most: 12, percent: 90},
};

/** The scenario of a seed: the same one on every machine. */
export function generate(seed: number, length: Length = 'short'): Generated {
  const draws = {
    schema: Draws.seeded(seed * 3),
    query: Draws.seeded(seed * 3 + 1),
    history: Draws.seeded(seed * 3 + 2),
  };
  return make(`seed-${seed}`, draws, length);
}

/** The scenario of such choices. */
export function regenerate(id: string, choices: Choices, length: Length): Generated {
  const draws = {
    schema: Draws.replayed(choices.schema),
    query: Draws.replayed(choices.query),
    history: Draws.replayed(choices.history),
  };
  return make(id, draws, length);
}

/** The same tables and query with other rows and another history; the 0th is the scenario itself. */
export function withOtherHistory(generated: Generated, i: number): Generated {
  if (i === 0) return generated;
  const {scenario, choices} = generated;
  const {history} = generate(1_000_000 * i + choices.query.length * 1000 + choices.history.length).choices;
  return regenerate(`${scenario.id}-${i}`, {...choices, history}, generated.length);
}

function make(id: string, draws: Readonly<Record<keyof Choices, Draws>>, length: Length): Generated {
  const tables = draws.schema.many(1, 3, (i) => aTable(draws.schema, i));
  const layout = draws.schema.one(layouts);
  const view = draws.query.chance(20) ? query(draws.query, tables, 1) : null;
  const filtered = draws.query.chance(8) ? aTableMacro(draws.query, tables) : null;
  const sources: Source[] = [
    ...tables,
    ...(view === null ? [] : [{sql: 'v0', columns: view.columns}]),
    ...(filtered === null ? [] : [filtered.source]),
  ];
  const chain = draws.query.chance(15) ? aChain(draws.query, sources) : null;
  const depth = draws.query.weighted([
    [3, 0],
    [2, 1],
    [2, 2],
  ]);
  const asked = chain ?? {flat: ordered(draws.query, query(draws.query, sources, depth)), chain: null};
  const made = [
    ...(filtered === null ? [] : [filtered.creation]),
    ...(view === null ? [] : [`CREATE VIEW v0 AS ${view.sql}`]),
  ];
  const read = tables.filter(({sql}) => [...made, asked.flat].some((text) => text.includes(` ${sql} AS `)));
  const rows = tables.flatMap((table) => creation(draws.history, table));
  const {most, percent} = stepsOf[length];
  const happens = (): readonly string[] => step(draws.history, draws.history.chance(90) ? read : tables, layout);
  const steps = draws.history.many(2, most, happens, percent);
  const usesMacro = JSON.stringify([made, asked, steps]).includes(macro);
  const setup = [
    ...(layout !== 'files' ? [] : [`CALL lake.set_option('data_inlining_row_limit', 0)`]),
    ...(usesMacro ? [`CREATE MACRO ${macro}(x) AS CASE WHEN x <> 3 THEN x + 1 ELSE x END`] : []),
    ...rows,
    ...made,
  ];
  return {
    scenario: {id, setup, view: asked.flat, steps, chain: asked.chain},
    choices: {schema: draws.schema.taken, query: draws.query.taken, history: draws.history.taken},
    length,
  };
}

/** A macro that gives some rows of a table. */
function aTableMacro(draws: Draws, tables: readonly Table[]): {creation: string; source: Source} {
  const {sql, columns} = draws.one(tables);
  const value = draws.one(['1', '2', '3']);
  return {
    creation: `CREATE MACRO rows_from(least) AS TABLE SELECT * FROM ${sql} AS m WHERE m.k >= least OR m.k IS NULL`,
    source: {sql: `rows_from(${value})`, columns},
  };
}

/** An order at the top means nothing to a table, but that DuckDB's sort makes 0.0 of −0.0. */
function ordered(draws: Draws, {sql}: Query): string {
  return draws.chance(8) ? `SELECT * FROM (${sql}) AS rows_of_it ORDER BY ALL` : sql;
}

/** One or two dynamic tables and one over them; `flat` is the same query without them. */
function aChain(draws: Draws, sources: readonly Source[]): {flat: string; chain: Scenario['chain']} {
  const upstream: {name: string; query: Query}[] = [];
  draws.many(1, 2, (i) => {
    const read = [...sources, ...upstream.map((made) => ({sql: made.name, columns: made.query.columns}))];
    upstream.push({name: `u${i}`, query: query(draws, read, 1)});
  });
  const over = upstream.map(({name, query: {columns}}) => ({sql: name, columns}));
  const view = query(draws, [...over, ...over, ...sources], 1);
  const ctes = upstream.map(({name, query: {sql}}) => `${name} AS (${sql})`).join(', ');
  return {
    flat: `WITH ${ctes} SELECT * FROM (${view.sql})`,
    chain: {upstream: upstream.map(({name, query: {sql}}) => ({name, sql})), view: view.sql},
  };
}

const layouts: readonly Layout[] = ['files', 'inlined', 'flushed', 'files'];

const kinds: readonly Kind[] = [
  ...(['int', 'text', 'double', 'decimal', 'int', 'date', 'bool', 'double'] as const),
  ...(['double', 'text', 'decimal', 'time', 'struct', 'list'] as const),
];

/** `k` is in every table, so any two can meet. One table may be in another schema and have names that must be quoted. */
function aTable(draws: Draws, i: number): Table {
  const odd = i === 2 && draws.chance(30);
  const columns: Column[] = [{name: 'k', kind: 'int'}];
  draws.many(1, 4, (n) => columns.push({name: odd && n === 0 ? '"group by"' : `x${n}`, kind: draws.one(kinds)}), 70);
  const name = odd ? 'Odd.table' : `t${i}`;
  const schema = odd ? 'other' : 'main';
  return {sql: odd ? 'other."Odd.table"' : name, columns, copy: `copy${i}`, schema, name};
}

function creation(draws: Draws, table: Table): readonly string[] {
  const columns = table.columns.map(({name, kind}) => `${name} ${typeOfKind[kind]}`).join(', ');
  const rows = draws.many(0, 9, () => row(draws, table), 90);
  return [
    ...(table.schema === 'main' ? [] : [`CREATE SCHEMA ${table.schema}`]),
    `CREATE TABLE ${table.sql} (${columns})`,
    ...(rows.length === 0 ? [] : [insertion(table, rows)]),
    `CREATE TABLE ${table.copy} AS SELECT * FROM ${table.sql}`,
  ];
}
