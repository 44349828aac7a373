import {Connection} from '@temporalio/client';
import pg from 'pg';
import {expect, test} from 'vitest';
import {aDatabase, temporalAddress} from '../support/servers.ts';

test('a test has a PostgreSQL 18 database of its own', async () => {
  await using database = await aDatabase();
  const client = new pg.Client({connectionString: database.url});
  await client.connect();
  const {rows} = await client.query(`select current_setting('server_version_num')::int / 10000 as major,
    current_setting('listen_addresses') as listens`);
  await client.end();
  expect(rows).toEqual([{major: 18, listens: '127.0.0.1'}]);
});

test('a test has a Temporal server', async () => {
  const connection = await Connection.connect({address: temporalAddress()});
  const {namespaceInfo} = await connection.workflowService.describeNamespace({namespace: 'default'});
  await connection.close();
  expect(namespaceInfo?.name).toBe('default');
});
