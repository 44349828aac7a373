import {mkdir, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {define} from '../../src/activities/define.ts';
import type {Bound} from '../../src/binder/bound.ts';
import {defaultSettings} from '../../src/definition/definition.ts';
import {bareQuery} from '../../src/definition/statement.ts';
import {provisionExtensions} from '../../src/dev/provision.ts';
import {openDuckDB, openLakes} from '../../scenarios/lakes.ts';
import {enter} from '../../scenarios/outside.ts';
import type {Scenario} from '../../scenarios/scenario.ts';
import {aDatabase} from '../support/servers.ts';

/** Binds the queries of scenarios, one after another on one lake in which their tables are made anew, without rows. */
export async function aBinding(): Promise<{readonly bind: (scenario: Scenario) => Promise<Bound>} & AsyncDisposable> {
  const database = await aDatabase();
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-binding-'));
  const dataPath = path.join(folder, 'data/');
  await mkdir(dataPath);
  const place = {postgresUrl: database.url, metadataSchema: 'lake', dataPath};
  const extensions = await provisionExtensions(['ducklake', 'postgres_scanner']);
  const duckdb = await openDuckDB(extensions, []);
  const lakes = await openLakes(extensions, path.join(folder, 'staging'));
  const outside = await enter(duckdb, place);
  const lake = await lakes.enter(place);
  return {
    bind: async ({setup, view}) => {
      const definitions = setup.filter((statement) =>
        /^CREATE (SCHEMA|MACRO|TABLE \S+ \(|TABLE other|VIEW)/.test(statement),
      );
      await outside.run(['BEGIN', ...definitions.map(anew), 'COMMIT'].join(';\n'));
      const {boundAt} = await define(
        lake,
        {
          table: {schema: 'main', name: 'scenario_view'},
          query: view,
          settings: defaultSettings,
          options: {
            targetLag: {kind: 'downstream'},
            refreshMode: 'AUTO',
            initialize: 'ON_CREATE',
            cardinalityThreshold: 1,
            comment: null,
          },
        },
        bareQuery(view),
      );
      return boundAt.bound;
    },
    [Symbol.asyncDispose]: async () => {
      outside.leave();
      lakes.close();
      duckdb.closeSync();
      await rm(folder, {recursive: true, force: true});
      await database[Symbol.asyncDispose]();
    },
  };
}

function anew(statement: string): string {
  return statement
    .replace(/^CREATE SCHEMA/, 'CREATE SCHEMA IF NOT EXISTS')
    .replace(/^CREATE (MACRO|TABLE|VIEW)/, 'CREATE OR REPLACE $1');
}
