import {readdir, readFile} from 'node:fs/promises';
import {FreshetError} from '../errors.ts';
import {inTransaction, rows, type Metadata, type Queryable} from './database.ts';

const folder = new URL('./migrations/', import.meta.url);

/**
 * Brings schema `freshet` up to date; forward only. Any number of starters may call it at once: each migration is a transaction
 * that first records its number, so that the second waits for the first and then finds it done.
 */
export async function migrate(metadata: Metadata): Promise<void> {
  const known = await migrations();
  await prepare(metadata);
  const applied = await appliedMigrations(metadata);
  refuseNewer(applied, known.length);
  for (const {number, file} of known.slice(applied)) {
    const statements = await readFile(new URL(file, folder), 'utf8');
    await inTransaction(metadata, async (client) => {
      if (await record(client, number)) await client.query(statements);
    });
  }
}

/** Throws `schema_version` unless the metadata is exactly what this program was written for. */
export async function checkSchemaVersion(metadata: Metadata): Promise<void> {
  const known = (await migrations()).length;
  const applied = await appliedMigrations(metadata);
  refuseNewer(applied, known);
  if (applied === known) return;
  throw new FreshetError('schema_version', `The metadata has schema version ${applied}; this Freshet needs ${known}.`, {
    hint: 'Start a worker with FRESHET_MIGRATE=true, once.',
  });
}

function refuseNewer(applied: number, known: number): void {
  if (applied <= known) return;
  throw new FreshetError(
    'schema_version',
    `The metadata has schema version ${applied}, made by a newer Freshet; this one knows ${known}.`,
    {hint: 'Use the newer Freshet.'},
  );
}

async function migrations(): Promise<{number: number; file: string}[]> {
  const files = (await readdir(folder)).filter((file) => /^\d{6}\.sql$/.test(file)).sort();
  return files.map((file) => ({number: Number.parseInt(file, 10), file}));
}

/** `create … if not exists` is not safe against another at the same moment; the lock makes the second wait. */
async function prepare(metadata: Metadata): Promise<void> {
  await inTransaction(metadata, async (client) => {
    await client.query(`select pg_advisory_xact_lock(hashtextextended('freshet.migration', 0))`);
    await client.query(`create schema if not exists freshet`);
    await client.query(
      `create table if not exists freshet.migration (number integer primary key, applied_at timestamptz not null default now())`,
    );
  });
}

async function appliedMigrations(metadata: Metadata): Promise<number> {
  const exists = await rows<{exists: boolean}>(
    metadata,
    `select to_regclass('freshet.migration') is not null as exists`,
  );
  if (exists[0]?.exists !== true) return 0;
  const found = await rows<{number: number}>(
    metadata,
    `select coalesce(max(number), 0) as number from freshet.migration`,
  );
  return found[0]?.number ?? 0;
}

/** False when another starter has recorded it while we waited. */
async function record(client: Queryable, number: number): Promise<boolean> {
  const recorded = await client.query(
    `insert into freshet.migration (number) values ($1) on conflict (number) do nothing`,
    [number],
  );
  return recorded.rowCount === 1;
}
