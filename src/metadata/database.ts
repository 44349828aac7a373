import pg from 'pg';

/** PostgreSQL with our metadata. Every file of this folder has one table's queries, in full, as SQL. */
export type Metadata = pg.Pool;

/** Something that runs a query: the pool, or a client inside a transaction. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

/** Nobody waits longer than this for a connection: Temporal tries again. */
const connectionTimeoutMillis = 5_000;
/** A PostgreSQL that hangs answers nothing, and would hold its connection for ever; far more than any query of ours needs. */
const queryTimeoutMillis = 60_000;

export function openMetadata(url: string): Metadata {
  const pool = new pg.Pool({
    connectionString: url,
    max: 8,
    connectionTimeoutMillis,
    query_timeout: queryTimeoutMillis,
    application_name: 'freshet',
    // An idle pool must not keep a process of a client alive.
    allowExitOnIdle: true,
    types: {getTypeParser},
  });
  // An idle connection that breaks is replaced at the next query; unheard, the event would end the process.
  pool.on('error', () => undefined);
  return pool;
}

/** Where a database is, without the password. */
export function addressOf(url: string): string {
  if (!URL.canParse(url)) return 'the address that was given';
  const {host, pathname, username} = new URL(url);
  return `${host || 'localhost'}, database ${decodeURIComponent(pathname.slice(1)) || username}`;
}

/** What we hand on is plain JSON: counts and snapshots as numbers, times as ISO 8601 in UTC. */
const getTypeParser: typeof pg.types.getTypeParser = ((oid: number, format?: 'text') => {
  if (oid === pg.types.builtins.INT8) return Number;
  if (oid === pg.types.builtins.TIMESTAMPTZ) return (text: string) => new Date(text).toISOString();
  return pg.types.getTypeParser(oid, format);
  // pg overloads this by format; we only ever ask for text.
}) as typeof pg.types.getTypeParser;

/** Runs `work` in a transaction, which is rolled back when it throws. */
export async function inTransaction<T>(metadata: Metadata, work: (client: Queryable) => Promise<T>): Promise<T> {
  const client = await metadata.connect();
  // A connection that breaks fails the query that comes next; unheard, the event would end the process.
  const ignore = () => undefined;
  client.on('error', ignore);
  let broken = true;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    broken = false;
    return result;
  } finally {
    // A connection with an open transaction is closed, which rolls it back, also when it no longer answers.
    client.release(broken);
    client.off('error', ignore);
  }
}

/** The rows of a query. The caller names their type: it is what the SQL beside it selects. */
export async function rows<Row extends object>(
  database: Queryable,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  return (await database.query<Row>(text, [...values])).rows;
}
