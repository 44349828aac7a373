import {expect, test} from 'vitest';
import {boundAt} from '../../src/activities/bound-at.ts';
import {define} from '../../src/activities/define.ts';
import {versionsOf} from '../../src/activities/versions.ts';
import {defaultSettings} from '../../src/definition/definition.ts';
import {bareQuery} from '../../src/definition/statement.ts';
import {compareFingerprints} from '../../src/lake/fingerprint.ts';
import {aLake} from '../support/lake.ts';
import {standardOptions} from '../support/dynamic-table.ts';

const query = 'SELECT k, doubled(sum(v)) AS s FROM shown GROUP BY k';

test('a query is bound again when what it reaches has changed, and not for what others make', async () => {
  await using made = await aLake();
  await made.run('CREATE TABLE base (k INTEGER, v INTEGER)');
  await made.run('CREATE VIEW shown AS SELECT k, v FROM lake.base');
  await made.run('CREATE MACRO doubled(x) AS 2 * x');
  let binds = 0;
  const lake: typeof made.lake = {...made.lake, bind: (...given) => (++binds, made.lake.bind(...given))};
  const table = {schema: 'main', name: 'totals'};
  const given = {table, query, options: standardOptions, settings: defaultSettings};
  const {definition, boundAt: first} = await define(lake, given, bareQuery(query));
  const bindsAfter = async (...statements: readonly string[]) => {
    for (const statement of statements) await made.run(statement);
    const before = binds;
    const {fingerprint, bound} = await boundAt(
      lake,
      definition,
      versionsOf({dataVersion: await made.snapshot(), upstreams: {}}),
    );
    const type = bound.outputs[1]?.type;
    return {binds: binds - before, type, change: compareFingerprints(first.fingerprint, fingerprint)?.kind ?? null};
  };

  expect(await bindsAfter()).toEqual({binds: 1, type: 'HUGEINT', change: null});
  const unbound = {binds: 0, type: 'HUGEINT', change: null};
  expect(await bindsAfter('INSERT INTO base VALUES (1, 2)')).toEqual(unbound);
  expect(await bindsAfter('CREATE TABLE other (x INTEGER)', 'CREATE SCHEMA team')).toEqual(unbound);
  expect(await bindsAfter('CREATE VIEW team.shown AS SELECT 1 AS k, 2 AS v')).toEqual(unbound);
  expect(await bindsAfter('CREATE MACRO tripled(x) AS 3 * x', 'DROP TABLE other')).toEqual(unbound);
  // It is no part of the view's columns.
  expect(await bindsAfter('ALTER TABLE base ADD COLUMN w INTEGER')).toEqual(unbound);

  const changed = {binds: 1, type: 'HUGEINT'};
  expect(await bindsAfter('CREATE OR REPLACE VIEW shown AS SELECT k, 2 * v AS v FROM lake.base')).toEqual({
    ...changed,
    change: 'view-changed',
  });
  expect(await bindsAfter('CREATE OR REPLACE VIEW shown AS SELECT k, v FROM lake.base')).toEqual(unbound);
  expect(await bindsAfter('CREATE OR REPLACE MACRO doubled(x) AS x + x')).toEqual({...changed, change: 'view-changed'});
  expect(await bindsAfter('CREATE OR REPLACE MACRO doubled(x) AS 2 * x')).toEqual(unbound);
  expect(await bindsAfter('ALTER TABLE base ALTER v TYPE BIGINT')).toEqual({
    ...changed,
    change: 'source-schema-changed',
  });
  expect(await bindsAfter('CREATE OR REPLACE TABLE base (k INTEGER, v INTEGER)')).toEqual({
    ...changed,
    change: 'source-replaced',
  });
  // A name that is looked up in `main` first of all, where a table now stands in its way.
  expect(await bindsAfter('DROP VIEW shown', 'CREATE TABLE shown (k INTEGER, v DOUBLE)')).toMatchObject({
    binds: 1,
    type: 'DOUBLE',
    change: 'definition-changed',
  });
});
