import {mkdir} from 'node:fs/promises';
import path from 'node:path';
import {prepareDatabases} from '../src/dev/databases.ts';
import type {PostgresServer} from '../src/dev/postgres.ts';
import {readCatalogUrl} from '../src/lake/catalog-url.ts';
import {openLake} from '../src/lake/lake.ts';
import {openMetadata} from '../src/metadata/database.ts';
import {load} from './data.ts';
import type {Engine} from './engine.ts';
import {memoryLimitBytes, openPerson, threads, type Extensions, type Person} from './person.ts';

/** Where lakes are made: each has a database of its own. */
export type Site = {
  readonly postgres: Pick<PostgresServer, 'url'>;
  readonly extensions: Extensions;
  /** Everything of this run; goes with it. */
  readonly folder: string;
  /** The generator's files. */
  readonly dataFolder: string;
};

/** A lake with the TPC-H tables, and those who use it. */
export type Ground = {
  /** Address of the database with the catalog and the metadata. */
  readonly url: string;
  readonly paths: {readonly data: string; readonly staging: string; readonly spill: string};
  readonly engine: Engine;
  /** Changes the sources, and judges what the others have made of it. */
  readonly writer: Person;
  /** Keeps his tables by SQL of his own. */
  readonly engineer: Person;
  /** The newest snapshot. */
  readonly snapshot: () => Promise<number>;
  readonly leave: () => Promise<void>;
};

export async function openGround({postgres, extensions, folder, dataFolder}: Site, name: string): Promise<Ground> {
  const paths = {
    data: path.join(folder, name, 'data'),
    staging: path.join(folder, name, 'staging'),
    spill: path.join(folder, name, 'spill'),
  };
  await mkdir(paths.data, {recursive: true});
  const url = postgres.url(name);
  const {attach} = readCatalogUrl(url)!; // Of our own making.
  await prepareDatabases({
    ...{adminUrl: postgres.url('postgres'), database: name, databaseUrl: url, catalog: attach, dataPath: paths.data},
  });
  const writer = await openPerson(extensions, attach, paths.data);
  await load(writer, dataFolder);
  const engineer = await openPerson(extensions, attach, paths.data);
  const metadata = openMetadata(url);
  const lake = openLake({
    ...{catalog: url, dataPath: paths.data, name: 'lake', extensions},
    ...{threads, memoryLimitBytes, tempDirectory: paths.spill, computeSlots: 1, stagingPath: paths.staging},
  });
  return {
    url,
    paths,
    engine: {lake, metadata},
    writer,
    engineer,
    snapshot: async () => Number((await writer.rows('SELECT id FROM lake.current_snapshot()'))[0]?.[0]),
    leave: async () => {
      lake.close();
      await metadata.end();
      writer.leave();
      engineer.leave();
    },
  };
}
