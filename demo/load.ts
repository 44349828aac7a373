import path from 'node:path';
import type {PlainSql} from '../src/cli/plain-sql.ts';
import {literal} from '../src/sql.ts';
import {lastDay} from './changes.ts';

/** The package keeps its files from importers, so they are read by path: a clone's folder is where the demo runs. */
const data = path.resolve('node_modules', 'vega-datasets', 'data');

export const flightsFile = literal(path.join(data, 'flights-3m.parquet')).text;
const airportsFile = literal(path.join(data, 'airports.csv')).text;

/** Rows of both tables, once they are in the lake. */
export async function loadFlights(sql: PlainSql): Promise<{flights: number; airports: number}> {
  await sql.run(`CREATE TABLE airports AS SELECT * FROM read_csv(${airportsFile})`, 'text', 1);
  await sql.run(
    `CREATE TABLE flights AS SELECT * FROM ${flightsFile} WHERE date < DATE '${lastDay}' ORDER BY date`,
    'text',
    1,
  );
  return {flights: await rowsOf(sql, 'flights'), airports: await rowsOf(sql, 'airports')};
}

async function rowsOf(sql: PlainSql, table: string): Promise<number> {
  const counted = await sql.run(`SELECT count(*) FROM ${table}`, 'text', 1);
  return counted.kind === 'rows' ? Number(counted.rows[0]?.[0]) : 0;
}
