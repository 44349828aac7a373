import {DuckDBInstance, type DuckDBConnection} from '@duckdb/node-api';
import {Facts} from '../../src/activities/names.ts';
import {programOf} from '../../src/activities/extract-changes.ts';
import type {Bound} from '../../src/binder/bound.ts';
import {defaultSettings} from '../../src/definition/definition.ts';
import {differentiate} from '../../src/delta/differentiate.ts';
import type {Groups} from '../../src/delta/merge.ts';
import type {Program} from '../../src/delta/program.ts';
import type {Merges} from '../../src/delta/root.ts';
import {isLakeError} from '../../src/lake/errors.ts';
import {computeOptimizersOff} from '../../src/lake/optimizers.ts';
import {openSession, type Session} from '../../src/lake/session.ts';
import {gateOf} from '../../src/activities/write-incrementally.ts';
import {ofTarget, rootStatements, writes, type Named, type Target} from '../../src/refresh/apply.ts';
import {keptColumns, keptRows, ofGroups} from '../../src/refresh/merge.ts';
import {columnName, print, type Names} from '../../src/relation/print.ts';
import {columnsOfRelation, type Relation} from '../../src/relation/relation.ts';
import {identifier, join, path, raw, sql, type Sql} from '../../src/sql.ts';
import {tableNameText, type TableName} from '../../src/table-name.ts';
import {compare} from '../../scenarios/compare.ts';
import {rowsAsTexts} from '../../scenarios/outside.ts';
import {faultyOptimizers, showsOneOfEqualFloats} from '../../scenarios/play.ts';
import type {Scenario} from '../../scenarios/scenario.ts';
import {changesTables} from './oracle.ts';

/**
 * The rules alone: a scenario on plain DuckDB tables, one catalog for the old end and one for the new, without a lake, its feeds
 * and its transactions. Many times as fast as on a lake. Answers what is wrong after some step; null: nothing.
 */
export async function playAlgebra(scenario: Scenario, bound: Bound): Promise<string | null> {
  // What can be merged is recomputed as well, as a table does that keeps nothing to merge into.
  const ways: readonly Merges[] = isMerged(bound) ? ['hidden', 'none'] : ['none'];
  for (const merges of ways) {
    const wrong = await playOnce(scenario, bound, merges);
    if (wrong !== null) return merges === 'hidden' ? `merged: ${wrong}` : wrong;
  }
  return null;
}

/** Whether its changes are merged into what is kept of groups. */
export function isMerged({reading}: Bound): boolean {
  const delta = reading.kind === 'full' ? null : differentiate(reading.relation, () => true);
  return delta?.kind === 'delta' && delta.program.root.kind === 'merge';
}

async function playOnce(scenario: Scenario, bound: Bound, merges: Merges): Promise<string | null> {
  const database = await DuckDBInstance.create(':memory:', {
    threads: '1',
    disabled_optimizers: [...computeOptimizersOff, ...faultyOptimizers].join(','),
  });
  const connection = await database.connect();
  try {
    return await playIn(connection, scenario, bound, merges);
  } catch (error) {
    // A lake's refresh goes on fully then, and only FULL's error is the user's.
    if (isLakeError(error, 'data')) return null;
    throw error;
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}

async function playIn(
  connection: DuckDBConnection,
  scenario: Scenario,
  bound: Bound,
  merges: Merges,
): Promise<string | null> {
  const session = sessionOf(connection);
  const {reading} = bound;
  const delta = reading.kind === 'full' ? null : differentiate(reading.relation, () => true, merges);
  if (reading.kind === 'full' || delta?.kind !== 'delta') return null;
  for (const end of ['old', 'new']) await connection.run(`ATTACH ':memory:' AS "${end}"`);
  await connection.run('USE "new"');
  await runAll(connection, scenario.setup);
  const target: Target = {table: path('temp', 'main', 'target'), outputs: bound.outputs};
  await connection.run(`CREATE OR REPLACE TEMP TABLE target AS ${stored(scenario.view, target).text}`);
  const hidden = hiddenOf(delta.program);
  if (hidden !== null) {
    const list = join(hidden.outputs.map(({name}) => identifier(name)));
    const kept = keptRows(hidden.groups, namesIn(new Facts()));
    await session.run(sql`CREATE OR REPLACE TEMP TABLE hidden_groups AS SELECT * FROM (${kept}) AS kept(${list})`);
  }
  for (const [i, statements] of scenario.steps.entries()) {
    for (const {table} of bound.sources) await keepOld(session, table);
    // Other tables and columns under the same names are met before any rule is asked.
    await runAll(
      connection,
      statements.filter((statement) => !changesTables(statement)),
    );
    const wrong =
      (await refresh(session, reading.relation, bound, {target, hidden, merges})) ??
      (await check(connection, scenario, reading.relation, target));
    if (wrong !== null) return `step ${i + 1}: ${wrong}`;
  }
  return null;
}

/** What is about the lake alone means nothing here. */
async function runAll(connection: DuckDBConnection, statements: readonly string[]): Promise<void> {
  for (const statement of statements) {
    if (!statement.startsWith('CALL')) await connection.run(statement);
  }
}

async function keepOld(session: Session, {schema, name}: TableName): Promise<void> {
  await session.run(sql`CREATE SCHEMA IF NOT EXISTS ${path('old', schema)}`);
  await session.run(sql`CREATE OR REPLACE TABLE ${path('old', schema, name)} AS FROM ${path('new', schema, name)}`);
}

type Into = {readonly target: Target; readonly hidden: Target | null; readonly merges: Merges};

function hiddenOf({root}: Program): (Target & {readonly groups: Groups}) | null {
  if (root.kind !== 'merge' || root.stored !== null) return null;
  return {groups: root.groups, table: path('temp', 'main', 'hidden_groups'), outputs: keptColumns(root.groups)};
}

function namesIn(facts: Facts): Names {
  return {
    scan: ({source, at}, alias) => sql`${path(at, source.schema, source.name)} AS ${alias}`,
    mayBeNull: (staged, column) => facts.mayBeNull(staged.name, column.name),
  };
}

async function refresh(session: Session, relation: Relation, {sources}: Bound, into: Into): Promise<string | null> {
  const all = differentiate(relation, () => true, into.merges);
  if (all.kind !== 'delta') throw new Error('it had a rule before');
  const facts = new Facts();
  const names = namesIn(facts);
  const staged = [];
  for (const {table} of sources) {
    const change = all.program.changes.find(({source}) => tableNameText(source) === tableNameText(table));
    const changed = change === undefined ? 0 : await stageChange(session, change);
    staged.push({source: tableNameText(table), file: null, inserted: changed, deleted: 0, rowsTo: 0});
  }
  const program = programOf(relation, staged, into.merges);
  for (const {name, relation: step} of program.steps) {
    await session.run(sql`CREATE OR REPLACE TEMP TABLE ${identifier(name)} AS\n${print(step, names)}`);
    await facts.learn(session, name, columnsOfRelation(step).map(columnName));
  }
  return await applyRoot(session, program, into, names);
}

async function applyRoot(
  session: Session,
  program: Program,
  {target, hidden}: Into,
  names: Names,
): Promise<string | null> {
  const {root} = program;
  const gate = gateOf(root);
  if (root.kind === 'unchanged' || (gate !== null && (await count(session, identifier(gate.name))) === 0)) return null;
  for (const {text, ifAny} of rootStatements(program, target, names, hidden)) {
    if (ifAny === undefined || (await count(session, identifier(ifAny))) > 0) await session.run(text);
  }
  const stale = await count(session, raw('stale'));
  const missing = root.kind === 'rows' ? (await count(session, toGo)) - stale : 0;
  const tables: readonly (readonly [Target | null, Named])[] = [
    [target, ofTarget],
    [root.kind === 'merge' ? hidden : null, ofGroups],
  ];
  for (const [into, named] of tables) {
    if (into === null) continue;
    const counts = {stale: await count(session, raw(named.stale)), added: await count(session, raw(named.added))};
    for (const {text} of writes(into, counts, named)) await session.run(text);
  }
  const temporary = [...Object.values(ofTarget), ...Object.values(ofGroups)];
  for (const name of ['net', 'unfound', ...temporary, 'groups_merged', 'groups_lost'])
    await session.run(sql`DROP TABLE IF EXISTS ${path('temp', 'main', name)}`);
  return missing === 0 ? null : `${missing} rows that had to go were not there`;
}

const toGo = sql`(SELECT unnest(range(-copies)) FROM net WHERE copies < 0)`;

/** As `stageChange` of the lake leaves it, from the two ends themselves. */
async function stageChange(session: Session, {name, source, columns}: Program['changes'][number]): Promise<number> {
  const used = join(
    columns.map((column, i) => sql`${identifier(column)} AS ${raw(`c${i}`)}, `),
    '',
  );
  const names = columns.map((_, i) => raw(`c${i}`));
  const identity = [...names, ...names.map((column) => sql`${column}::VARCHAR`)];
  await session.run(sql`CREATE OR REPLACE TEMP TABLE ${identifier(name)} AS
SELECT ${join(
    names.map((column) => sql`${column}, `),
    '',
  )}sum(weight)::BIGINT AS weight
FROM (SELECT ${used}1 AS weight FROM ${path('new', source.schema, source.name)}
  UNION ALL SELECT ${used}-1 FROM ${path('old', source.schema, source.name)})
${names.length === 0 ? raw('') : sql`GROUP BY ${join(identity)}`} HAVING sum(weight) <> 0`);
  return await count(session, identifier(name));
}

async function check(
  connection: DuckDBConnection,
  {view}: Scenario,
  relation: Relation,
  target: Target,
): Promise<string | null> {
  const held = await rowsAsTexts(connection, 'SELECT * FROM temp.target');
  const queried = await rowsAsTexts(connection, stored(view, target).text);
  const difference = compare('target', held.rows, queried.rows, {
    isFloat: queried.types.map((type) => type === 'DOUBLE' || type === 'FLOAT'),
    signsAreOne: showsOneOfEqualFloats(relation),
  });
  return difference && JSON.stringify(difference);
}

function stored(view: string, {outputs}: Target): Sql {
  const columns = outputs.map(
    ({name, storedType}, i) => sql`CAST(${raw(`q${i}`)} AS ${raw(storedType)}) AS ${identifier(name)}`,
  );
  return sql`SELECT ${join(columns)} FROM (${raw(view)}) AS query(${join(outputs.map((_, i) => raw(`q${i}`)))})`;
}

async function count(session: Session, table: Sql): Promise<number> {
  const [row] = await session.rows<{count: number}>(sql`SELECT count(*) AS count FROM ${table}`);
  return row?.count ?? 0;
}

function sessionOf(connection: DuckDBConnection): Session {
  return openSession(connection, {
    lake: {name: 'lake', metadataSchema: ''},
    query: defaultSettings,
    scrub: (text) => text,
    signal: undefined,
    abandon: () => undefined,
    beside: () => Promise.reject(new Error('not here')),
    protectedTables: new Set(),
  });
}
