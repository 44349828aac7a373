import {storedColumn} from '../binder/bound.ts';
import {outline} from '../definition/outline.ts';
import {defaultSettings} from '../definition/definition.ts';
import {parseStatement} from '../definition/parse.ts';
import type {Create} from '../definition/statement.ts';
import {FreshetError} from '../errors.ts';
import {cyclePath} from '../graph/edges.ts';
import {allNamesAt, catalogTable, currentSnapshot, tableAt} from '../lake/catalog.ts';
import type {Session} from '../lake/session.ts';
import {createState, readState} from '../lake/state.ts';
import {createTarget as createLakeTarget} from '../lake/target.ts';
import {
  allTables,
  findTable,
  insertTable,
  setTableState,
  suspendedBelow,
  type TableRow,
} from '../metadata/dynamic-table.ts';
import {upstreamSuspensionNote} from '../schedule-note.ts';
import {identifier, literal, sql} from '../sql.ts';
import {isSameName, tableNameText, type TableName} from '../table-name.ts';
import type {CreateInput} from '../workflows/messages.ts';
import type {CreatePlan, ReserveInput, TableIncarnation} from './activities.ts';
import {assumedTables} from './assumed.ts';
import {define} from './define.ts';
import type {Deps} from './deps.ts';
import {removeTable} from './drop.ts';
import {judge} from './judge.ts';
import type {RefreshContext} from './look-up-snapshots.ts';
import {repairTables} from './repair.ts';
import {runningRun} from './running.ts';
import {tableNamed} from './versions.ts';

/** Parses, binds and judges a CREATE DYNAMIC TABLE statement. Nothing is made. */
export async function checkStatement(
  deps: Deps & Pick<RefreshContext, 'signal'>,
  {statement, assumed: given}: Pick<CreateInput, 'statement' | 'assumed'>,
): Promise<CreatePlan> {
  const create = readCreate(statement);
  const assumed = assumedTables(given);
  const {lake, metadata, signal} = deps;
  await repairTables(deps);
  const all = (await allTables(metadata)).filter(({state}) => state !== 'dropping');
  // What is assumed reads nothing, whatever the table of its name reads.
  const tables = all.map((row) =>
    assumed.some((each) => isSameName(tableNameText(each.table), row.name)) ? {...row, sources: []} : row,
  );
  const name = tableNameText(create.table);
  const existing = tables.find((row) => row.state === 'active' && isSameName(row.name, name));
  const table = existing?.name ?? name;
  if (existing !== undefined && !create.orReplace && given === undefined) return existingPlan(create, existing);
  if (existing === undefined) await lake.look((session) => checkName(session, create.table), signal);
  // What the text names, as far as that can be told without a database: a table that reads itself is not there yet.
  refuseCycle(table, (outline(create.query.text) ?? []).map(tableNameText), tables);

  const {options, query} = create;
  const written = {table: tableNamed(table), query: query.text, options, settings: defaultSettings};
  const {definition, boundAt} = await define(lake, written, query, {signal, assumed});
  const sources = boundAt.bound.sources.map((source) => tableNameText(source.table));
  refuseCycle(table, sources, tables);
  const reasons = judge(create, boundAt.bound);
  return {
    table,
    exists: false,
    definition,
    columns: boundAt.bound.outputs.map(storedColumn),
    sources,
    mode: reasons.length > 0 ? 'full' : 'incremental',
    reasons,
    ...(existing && {replaces: {incarnation: existing.incarnation, definition: existing.definition}}),
  };
}

function readCreate(statement: string): Create {
  const parsed = parseStatement(statement);
  if (parsed.kind === 'create') return parsed;
  throw new FreshetError('syntax', 'This is no CREATE DYNAMIC TABLE statement.');
}

function existingPlan({ifNotExists}: Create, row: TableRow): CreatePlan {
  if (!ifNotExists) throw new FreshetError('already_exists', `Dynamic table ${row.name} exists already.`);
  const {name: table, definition, columns, sources, mode, reasons} = row;
  return {table, exists: true, definition, columns, sources, mode, reasons};
}

/** The schema is there, and nothing else of that name in it. What we have left there ourselves goes before it is used. */
async function checkName(session: Session, table: TableName): Promise<void> {
  if (table.schema.toLowerCase() === 'freshet_state') {
    throw new FreshetError('already_exists', 'Schema freshet_state is for what Freshet must remember itself.', {
      hint: 'Name the table in another schema.',
    });
  }
  const {id} = await currentSnapshot(session);
  const [schema] = await session.rows(
    sql`SELECT 1 FROM ${catalogTable(session, 'schema')}
      WHERE lower(schema_name) = lower(${literal(table.schema)}) AND begin_snapshot <= ${id}
        AND (end_snapshot IS NULL OR end_snapshot > ${id})`,
  );
  if (schema === undefined) {
    throw new FreshetError('unknown_source', `The lake has no schema "${table.schema}".`, {
      hint: `CREATE SCHEMA ${identifier(table.schema).text} in the lake first.`,
    });
  }
  if ((await readState(session, table)) !== null) return;
  const text = tableNameText(table);
  const other = (await allNamesAt(session, id)).find((candidate) => isSameName(tableNameText(candidate.table), text));
  if (other !== undefined) {
    throw new FreshetError(
      'already_exists',
      `The lake has a ${other.kind} ${tableNameText(other.table)} already, and it is no dynamic table.`,
    );
  }
}

function refuseCycle(table: string, sources: readonly string[], tables: readonly TableRow[]): void {
  const way = cyclePath(table, sources, tables);
  if (way === null) return;
  throw new FreshetError('dependency_cycle', `${table} would read itself: ${way.join(' reads ')}.`);
}

/** Takes the name. One that a statement holds which has ended without an end is undone first. */
export async function reserveTable(deps: Deps, {plan, run}: ReserveInput): Promise<void> {
  const {metadata} = deps;
  const {table: name, definition, columns, sources, mode, reasons} = plan;
  const row = {name, incarnation: run.runId, createdBy: run.workflowId, state: 'creating' as const};
  if (await insertTable(metadata, {...row, definition, columns, sources, mode, reasons})) return;
  const holder = await findTable(metadata, name);
  if (holder?.incarnation === run.runId) return;
  if (holder !== null) await undo(deps, holder);
  if (await insertTable(metadata, {...row, definition, columns, sources, mode, reasons})) return;
  throw new FreshetError('already_exists', `Dynamic table ${name} has just been created by somebody else.`);
}

async function undo(deps: Deps, {name, incarnation, createdBy, state}: TableRow): Promise<void> {
  if (state === 'active') throw new FreshetError('already_exists', `Dynamic table ${name} exists already.`);
  const isAtWork = createdBy !== '' && (await runningRun(deps.temporal(), createdBy)) === incarnation;
  if (isAtWork)
    throw new FreshetError('unavailable', `${name} is being created or dropped.`, {
      hint: 'Try again when that is done.',
    });
  await removeTable(deps, {table: name, incarnation});
}

/** State row first, then the target: where there is a state row of ours, the target is ours too. */
export async function createTarget(
  {lake, metadata, signal}: Deps & Pick<RefreshContext, 'signal'>,
  {table, incarnation}: TableIncarnation,
): Promise<void> {
  const row = await findTable(metadata, table);
  if (row?.incarnation !== incarnation)
    throw new FreshetError('unknown_dynamic_table', `${table} is no longer being created.`);
  const name = tableNamed(table);
  await lake.look(async (session) => {
    const state = await readState(session, name);
    if (state === null) {
      await createState(session, name, {
        ...{incarnation, generation: 0, contents: 0, dataVersion: null, refreshId: null, rows: 0},
        ...{definition: row.definition, fingerprint: null, sources: []},
      });
    } else if (state.incarnation !== incarnation) {
      throw new FreshetError('already_exists', `The lake has a dynamic table ${table} already.`);
    }
    const {id} = await currentSnapshot(session);
    if ((await tableAt(session, name, id)) !== null) return;
    await createLakeTarget(session, {table: name, columns: row.columns, comment: row.definition.options.comment});
  }, signal);
}

/** The table is there for everybody, and its schedule begins. */
export async function finishCreate(
  {metadata, schedules}: Deps,
  {table, incarnation, taskQueue}: TableIncarnation & {readonly taskQueue: string},
): Promise<void> {
  const row = await findTable(metadata, table);
  if (row?.incarnation !== incarnation)
    throw new FreshetError('unknown_dynamic_table', `${table} is no longer being created.`);
  const {targetLag} = row.definition.options;
  await schedules.create({table, taskQueue, targetLag, mode: row.mode});
  const below = suspendedBelow(table, await allTables(metadata));
  if (below !== null) await schedules.pause(table, upstreamSuspensionNote(below));
  await setTableState(metadata, table, incarnation, 'active');
}
