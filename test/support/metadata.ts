import {openMetadata, type Metadata} from '../../src/metadata/database.ts';
import {migrate} from '../../src/metadata/migrate.ts';
import {aDatabase} from './servers.ts';

/** Migrated metadata in a database of its own. */
export async function someMetadata(): Promise<{readonly metadata: Metadata; readonly url: string} & AsyncDisposable> {
  const database = await aDatabase();
  const metadata = openMetadata(database.url);
  await migrate(metadata);
  return {
    metadata,
    url: database.url,
    [Symbol.asyncDispose]: async () => {
      await metadata.end();
      await database[Symbol.asyncDispose]();
    },
  };
}
