import {mkdir, rm} from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import {provisionExtensions} from '../src/dev/provision.ts';
import {detachAll, openDuckDB, openLakes, type Extensions, type Place} from './lakes.ts';
import {failed, messageOf, type Outcome} from './outcome.ts';
import {enter} from './outside.ts';
import {play, type Shown} from './play.ts';
import type {Scenario} from './scenario.ts';

export type PlaygroundOptions = Shown & {
  readonly postgresUrl: string;
  /** For the data of lakes and for staged changes. */
  readonly folder: string;
};

/** Plays scenarios one at a time, each on a lake of its own: `name` is its schema in PostgreSQL and its folder. */
export type Playground = {
  readonly play: (name: string, scenario: Scenario) => Promise<Outcome>;
  readonly close: () => void;
};

export async function openPlayground(options: PlaygroundOptions): Promise<Playground> {
  const {postgresUrl, folder} = options;
  const extensions = await provisionExtensions(['ducklake', 'postgres_scanner']);
  let ground = await openGround(extensions, folder);
  return {
    play: async (name, scenario) => {
      const dataPath = `${path.join(folder, 'lakes', name)}/`;
      await mkdir(dataPath, {recursive: true});
      const place = {postgresUrl, metadataSchema: name, dataPath};
      const outcome = await playAt(ground, place, scenario, options);
      try {
        await ground.leave();
      } catch {
        // A DuckDB that met a fatal error answers nothing any more. The next scenario gets others.
        ground.close();
        ground = await openGround(extensions, folder);
      }
      await removeLake(place);
      return outcome;
    },
    close: () => ground.close(),
  };
}

type Ground = Awaited<ReturnType<typeof openGround>>;

/** The DuckDB instances that are kept from one lake to the next: the engine's and the outsider's. */
async function openGround(extensions: Extensions, folder: string) {
  // With statistics the lake's own reads can be wrong (ducklake issue 1377): what we compare with must not be.
  const duckdb = await openDuckDB(extensions, ['statistics_propagation']);
  const lakes = await openLakes(extensions, path.join(folder, 'staging'));
  return {
    enter: async (place: Place) => ({outside: await enter(duckdb, place), lake: await lakes.enter(place)}),
    leave: async () => {
      await lakes.leave();
      await detachAll(duckdb);
    },
    close: () => {
      lakes.close();
      duckdb.closeSync();
    },
  };
}

async function playAt(ground: Ground, place: Place, scenario: Scenario, options: Shown): Promise<Outcome> {
  try {
    const {outside, lake} = await ground.enter(place);
    try {
      return await play(lake, outside, scenario, options);
    } finally {
      outside.leave();
    }
  } catch (error) {
    return failed(scenario.id, messageOf(error));
  }
}

/** What a broken DuckDB still has locked stays until the server goes. */
async function removeLake({postgresUrl, metadataSchema, dataPath}: Place): Promise<void> {
  await rm(dataPath, {recursive: true, force: true});
  const client = new pg.Client({connectionString: postgresUrl, lock_timeout: 5000});
  await client.connect();
  try {
    await client.query(`DROP SCHEMA IF EXISTS ${client.escapeIdentifier(metadataSchema)} CASCADE`);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== lockNotAvailable) throw error;
  } finally {
    await client.end();
  }
}

const lockNotAvailable = '55P03';
