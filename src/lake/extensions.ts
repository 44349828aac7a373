import type {DuckDBConnection} from '@duckdb/node-api';
import {statSync} from 'node:fs';
import {literal, sql} from '../sql.ts';

/**
 * DuckDB checks an extension's signature in every instance that loads it, which takes a tenth of a second for each file. Once for
 * a process is enough: it is the code that runs in it already.
 */
const checked = new Set<string>();

/** What an instance must be created with that is to load these files. */
export function extensionSettings(files: readonly string[]): {readonly allow_unsigned_extensions: string} {
  return {allow_unsigned_extensions: String(files.every((file) => checked.has(edition(file))))};
}

/** Loads them; DuckDB refuses a file of another version, and without a good signature. */
export async function loadExtensions(connection: DuckDBConnection, files: readonly string[]): Promise<void> {
  for (const file of files) {
    await connection.run(sql`LOAD ${literal(file)}`.text);
    checked.add(edition(file));
  }
}

/** A file as it is now: another one under its name is checked again. */
function edition(file: string): string {
  const {mtimeMs, size, ino} = statSync(file, {throwIfNoEntry: false}) ?? {};
  return [file, mtimeMs, size, ino].join(' ');
}
