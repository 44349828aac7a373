import type {PlainSql} from '../src/cli/plain-sql.ts';
import {parseStatement} from '../src/definition/parse.ts';
import {identifier} from '../src/sql.ts';
import type {DemoTable} from './tables.ts';

/** Where recomputations go: a schema of the same lake that no dynamic table reads. */
const scratch = 'scratch';

export async function prepareScratch(sql: PlainSql): Promise<void> {
  await sql.run(`CREATE SCHEMA ${scratch}`, 'text', 1);
}

/** Milliseconds that the table's query takes to be computed into the lake from nothing, by a DuckDB like the worker's. */
export async function recomputeMs(sql: PlainSql, table: DemoTable): Promise<number> {
  const target = `${scratch}.${identifier(table.name).text}`;
  const started = performance.now();
  await sql.run(`CREATE OR REPLACE TABLE ${target} AS ${queryOf(table)}`, 'text', 1);
  return performance.now() - started;
}

function queryOf({name, statement}: DemoTable): string {
  const parsed = parseStatement(statement);
  if (parsed.kind !== 'create') throw new Error(`The statement of ${name} creates no dynamic table.`);
  return parsed.query.text;
}
