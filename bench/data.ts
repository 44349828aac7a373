import {DuckDBInstance} from '@duckdb/node-api';
import {mkdir} from 'node:fs/promises';
import path from 'node:path';
import {provisionExtensions} from '../src/dev/provision.ts';
import {literal, sql} from '../src/sql.ts';
import type {Person} from './person.ts';

const tables = ['lineitem', 'orders', 'customer', 'part', 'supplier', 'nation', 'region'];

/** Has DuckDB's own generator make TPC-H tables, as Parquet files in `folder`. */
export async function generate(folder: string, scaleFactor: number): Promise<void> {
  const {tpch} = await provisionExtensions(['tpch']);
  await mkdir(folder, {recursive: true});
  const instance = await DuckDBInstance.create(':memory:');
  try {
    const connection = await instance.connect();
    await connection.run(sql`LOAD ${literal(tpch)}`.text);
    await connection.run(`CALL dbgen(sf => ${scaleFactor})`);
    for (const table of tables) await connection.run(`COPY ${table} TO ${fileOf(folder, table)}`);
    connection.closeSync();
  } finally {
    instance.closeSync();
  }
}

/** Where batches find the generator's tables in a person's DuckDB. */
export const generated = 'memory.generated';

/** Loads the tables into the lake, sorted as the generator makes them, and shows the generator's own to the person. */
export async function load(person: Person, folder: string): Promise<void> {
  await person.run(`CREATE SCHEMA ${generated}`);
  for (const table of tables) {
    await person.run(`CREATE VIEW ${generated}.${table} AS FROM ${fileOf(folder, table)}`);
    await person.run(`CREATE TABLE lake.main.${table} AS FROM ${generated}.${table}`);
  }
}

function fileOf(folder: string, table: string): string {
  return literal(path.join(folder, `${table}.parquet`)).text;
}
