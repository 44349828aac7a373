import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {define} from '../../src/activities/define.ts';
import {defaultSettings} from '../../src/definition/definition.ts';
import {bareQuery} from '../../src/definition/statement.ts';
import {groupsTable} from '../../src/lake/state.ts';
import {explain} from '../../src/refresh/explain.ts';
import {aLake} from '../support/lake.ts';

/**
 * Each file of `test/fixtures` is a query, the relation it is read as, and the statements that carry its change: documentation
 * that is checked. A rule that writes other SQL shows up as a difference here; `vitest -u` writes the files anew.
 */
const folder = path.join(import.meta.dirname, '../fixtures');
const mark = '\n-- ## relation';

const tables = [
  'CREATE TABLE orders (id INTEGER, customer INTEGER, region VARCHAR, amount DECIMAL(10,2), placed DATE)',
  'CREATE TABLE customers (id INTEGER, name VARCHAR, region VARCHAR)',
  'CREATE TABLE regions (region VARCHAR, label VARCHAR)',
];

let lake: Awaited<ReturnType<typeof aLake>>;
beforeAll(async () => {
  lake = await aLake();
  for (const statement of tables) await lake.run(statement);
});
afterAll(() => lake[Symbol.asyncDispose]());

test.each(readdirSync(folder))('%s reads as it says', async (file) => {
  const [text = ''] = readFileSync(path.join(folder, file), 'utf8').split(mark);
  const written = text.trim();
  const query = written.replace(/^--.*\n/gm, '');
  const table = {schema: 'main', name: 'result'};
  const options = {
    targetLag: {kind: 'downstream'},
    refreshMode: 'AUTO',
    initialize: 'ON_CREATE',
    cardinalityThreshold: 0.3,
    comment: null,
  } as const;
  const {boundAt} = await define(lake.lake, {table, query, options, settings: defaultSettings}, bareQuery(query));
  const {reading, outputs} = boundAt.bound;
  if (reading.kind === 'full') throw new Error(JSON.stringify(reading.reasons));
  const {relation, statements} = explain(reading.relation, outputs, {lake: 'lake', table, groups: groupsTable(table)});
  const shown = [
    written,
    `${mark.trim()}\n${relation.replace(/^/gm, '-- ')}`,
    ...statements.map(({label, text: {text: sqlText}}) => `-- ## ${label}\n${sqlText};`),
  ];
  await expect(`${shown.join('\n\n')}\n`).toMatchFileSnapshot(path.join(folder, file));
});
