import {randomUUID} from 'node:crypto';
import pg from 'pg';
import {inject} from 'vitest';

/** A new, empty database in the test run's PostgreSQL, dropped with all its connections when it goes out of scope. */
export async function aDatabase(): Promise<{readonly url: string} & AsyncDisposable> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await administer(`create database ${name}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  return {
    url: url.href,
    [Symbol.asyncDispose]: () => administer(`drop database ${name} with (force)`),
  };
}

async function administer(statement: string): Promise<void> {
  const client = new pg.Client({connectionString: inject('postgresUrl')});
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Address of the test run's Temporal server, to which every test brings task queues and ids of its own. */
export function temporalAddress(): string {
  return inject('temporalAddress');
}
