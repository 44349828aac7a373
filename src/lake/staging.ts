import {createHash, randomUUID} from 'node:crypto';
import {mkdir, readdir, rm, stat} from 'node:fs/promises';
import {join as joinPath} from 'node:path';
import {parseType, typeText, type DuckType} from '../relation/type-text.ts';
import {identifier, join, literal, raw, sql, type Sql} from '../sql.ts';
import {tableNameText, type TableName} from '../table-name.ts';
import {isLakeError} from './errors.ts';
import {isLocal} from './folders.ts';
import type {Lake} from './lake.ts';
import type {Session} from './session.ts';

/**
 * Rows between two activities: Parquet files in a folder outside the lake's data, the same folder for every attempt of a refresh,
 * another file for each attempt (two attempts on one file corrupt it).
 */
export function stagingFolder(lake: Pick<Lake, 'stagingPath'>, table: TableName, refreshId: string): string {
  const owner = createHash('sha256').update(tableNameText(table)).digest('hex').slice(0, 16);
  return `${lake.stagingPath.replace(/\/+$/, '')}/${owner}/${refreshId}`;
}

/** A staged file is not there any more: extract again. */
export class StagedFileGone extends Error {
  constructor(file: string) {
    super(`Staged file ${file} is gone`);
    this.name = 'StagedFileGone';
  }
}

/** Writes a temporary table into a file of its own and answers the file's name. */
export async function writeStaged(session: Session, table: string, folder: string): Promise<string> {
  if (isLocal(folder)) await mkdir(folder, {recursive: true});
  const file = `${table}-${randomUUID()}.parquet`;
  const columns = await session.rows<{name: string; type: string}>(
    sql`SELECT column_name AS name, column_type AS type FROM (DESCRIBE ${identifier(table)})`,
  );
  const selected = columns.map(({name, type}) => cast(name, type, carrierOf(type)));
  // Without dictionaries: one of them takes 0.0 and −0.0 for the same value.
  const types = JSON.stringify(columns.map(({type}) => type));
  try {
    await session.run(
      sql`COPY (SELECT ${join(selected)} FROM ${identifier(table)}) TO ${literal(`${folder}/${file}`)}
        (FORMAT parquet, DICTIONARY_SIZE_LIMIT 0, KV_METADATA {freshet_types: ${literal(types)}})`,
      `stage ${table}`,
    );
  } catch (error) {
    // What was written before the disk was full fills it for the next attempt too.
    if (isLocal(folder)) await rm(joinPath(folder, file), {force: true});
    throw error;
  }
  return file;
}

/** Reads a staged file into the temporary table `as`, with the columns and types it was written from. */
export async function readStaged(session: Session, folder: string, file: string, as: string): Promise<void> {
  const path = literal(`${folder}/${file}`);
  try {
    const [metadata] = await session.rows<{types: string}>(
      sql`SELECT decode(value) AS types FROM parquet_kv_metadata(${path}) WHERE decode(key) = 'freshet_types'`,
    );
    const names = await session.rows<{name: string}>(
      sql`SELECT column_name AS name FROM (DESCRIBE FROM read_parquet(${path}))`,
    );
    const types = JSON.parse(metadata!.types) as string[]; // Every file of ours has it.
    const columns = names.map(({name}, i) => cast(name, carrierOf(types[i]!), types[i]!)); // One for each column.
    await session.run(
      sql`CREATE OR REPLACE TEMP TABLE ${identifier(as)} AS SELECT ${join(columns)} FROM read_parquet(${path})`,
      `read ${as}`,
    );
  } catch (error) {
    if (isLakeError(error, 'missing-file')) throw new StagedFileGone(file);
    throw error;
  }
}

export async function removeStaging(folder: string): Promise<void> {
  if (isLocal(folder)) await rm(folder, {recursive: true, force: true});
}

/**
 * Removes what refreshes that ended badly have left. In an object store DuckDB can't remove anything: there a lifecycle rule of the
 * store has to.
 */
export async function removeOldStaging(lake: Pick<Lake, 'stagingPath'>, olderThan: Date): Promise<void> {
  if (!isLocal(lake.stagingPath)) return;
  for (const owner of await folders(lake.stagingPath)) {
    for (const refresh of await folders(owner)) {
      const {mtime} = await stat(refresh).catch(() => ({mtime: new Date()}));
      if (mtime < olderThan) await rm(refresh, {recursive: true, force: true});
    }
  }
}

async function folders(parent: string): Promise<string[]> {
  const entries = await readdir(parent, {withFileTypes: true}).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({name}) => joinPath(parent, name));
}

/**
 * What a value travels as: a part that would come back from Parquet as something else is a text, and a list of fixed length a list.
 * Never the whole of a nested value: its text does not always say where a part ends.
 */
function carrierOf(type: string): string {
  return typeText(carrier(parseType(type)));
}

function carrier(type: DuckType): DuckType {
  switch (type.kind) {
    case 'plain':
      return changedByParquet.has(type.base) ? parseType('VARCHAR') : type;
    case 'list':
    case 'array':
      return {kind: 'list', element: carrier(type.element)};
    case 'nested':
      return {...type, parts: type.parts.map(({label, type: part}) => ({label, type: carrier(part)}))};
  }
}

const changedByParquet: ReadonlySet<string> = new Set([
  'HUGEINT',
  'UHUGEINT',
  'INTERVAL',
  'TIME WITH TIME ZONE',
  'TIME_NS',
  'TIMESTAMP_S',
  'TIMESTAMP_MS',
  'BIT',
  'BIGNUM',
  'ENUM',
]);

function cast(name: string, from: string, to: string): Sql {
  return from === to ? identifier(name) : sql`${identifier(name)}::${raw(to)} AS ${identifier(name)}`;
}
