import {Client, Connection} from '@temporalio/client';
import {expect, test} from 'vitest';
import {FreshetClient} from '../src/client.ts';

test('a statement that is longer than Temporal would take is refused before it is sent', async () => {
  const connection = Connection.lazy({address: '127.0.0.1:1'});
  await using freshet = new FreshetClient({temporal: new Client({connection})});
  const statement = `CREATE DYNAMIC TABLE t TARGET_LAG = '1 minute' AS SELECT '${'x'.repeat(500_000)}' AS x`;
  const refused = {code: 'syntax', message: expect.stringMatching(/^The statement has 500\d{3} bytes/) as string};
  await expect(freshet.create(statement)).rejects.toMatchObject(refused);
  await expect(freshet.explain(statement)).rejects.toMatchObject(refused);
  await connection.close();
});
