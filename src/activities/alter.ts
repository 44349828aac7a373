import {isDeepStrictEqual} from 'node:util';
import type {Options} from '../definition/definition.ts';
import {parseStatement} from '../definition/parse.ts';
import type {AlterChange} from '../definition/statement.ts';
import {FreshetError} from '../errors.ts';
import {readersOf} from '../graph/edges.ts';
import {currentSnapshot} from '../lake/catalog.ts';
import {changeOptions, renameTable} from '../lake/redefinition.ts';
import {readStanding, type Published} from '../lake/state.ts';
import {allTables, deleteTable, type TableRow} from '../metadata/dynamic-table.ts';
import {tableNameText, type TableName} from '../table-name.ts';
import type {AlterInput, AlterResult} from '../workflows/messages.ts';
import type {RunId, TableIncarnation} from './activities.ts';
import {boundAt} from './bound-at.ts';
import {reserveTable} from './create.ts';
import type {Deps} from './deps.ts';
import {judge} from './judge.ts';
import type {RefreshContext} from './look-up-snapshots.ts';
import {repairDefinition, repairPublication, repairTables} from './repair.ts';
import {tableNamed, versionsOf} from './versions.ts';

export type AlterDeps = Deps & Pick<RefreshContext, 'signal'>;

/**
 * Carries out ALTER DYNAMIC TABLE … SET or RENAME. The lake comes first, in one transaction: from then on it is so. What Temporal and the
 * metadata know of it follows, here or, when this is cut off, by the next statement or refresh.
 */
export async function alterTable(
  deps: AlterDeps,
  {statement, table, incarnation, run}: AlterInput & TableIncarnation & {readonly run: RunId},
): Promise<AlterResult> {
  const change = readChange(statement);
  switch (change.kind) {
    case 'set':
      return await setOptions(deps, await rowOf(deps, {table, incarnation}), change.options);
    case 'rename':
      // An attempt before this one may have come as far as the lake.
      await repairTables(deps);
      return await rename(deps, await rowOf(deps, {table, incarnation}), change.to, run);
    default:
      throw new FreshetError('syntax', 'This is no ALTER DYNAMIC TABLE … SET or RENAME statement.');
  }
}

function readChange(statement: string): AlterChange {
  const parsed = parseStatement(statement);
  if (parsed.kind === 'alter') return parsed.change;
  throw new FreshetError('syntax', 'This is no ALTER DYNAMIC TABLE statement.');
}

/** By its incarnation, whatever it is called by now. */
export async function rowOf(
  {metadata}: Pick<Deps, 'metadata'>,
  {table, incarnation}: TableIncarnation,
): Promise<TableRow> {
  const row = (await allTables(metadata)).find((candidate) => candidate.incarnation === incarnation);
  if (row !== undefined) return row;
  throw new FreshetError('unknown_dynamic_table', `${table} has just been dropped.`);
}

async function setOptions(deps: AlterDeps, row: TableRow, options: Partial<Options>): Promise<AlterResult> {
  const {lake, signal} = deps;
  const before = await standing(deps, row.name);
  const definition = {...before.definition, options: {...before.definition.options, ...options}};
  if (options.refreshMode !== undefined) {
    const {id: dataVersion} = await lake.look(currentSnapshot, signal);
    judge(definition, (await boundAt(lake, definition, versionsOf({dataVersion, upstreams: {}}), signal)).bound);
  }
  const outcome = isDeepStrictEqual(row.definition, definition) ? 'unchanged' : 'altered';
  await lake.look((session) => changeOptions(session, before.table, definition), signal);
  return {...(await settled(deps, row, row.name)), outcome};
}

async function rename(deps: AlterDeps, row: TableRow, to: TableName, run: RunId): Promise<AlterResult> {
  const name = tableNameText(to);
  const {mode, reasons} = row;
  if (row.name === name) return {table: name, outcome: 'altered', mode, reasons};
  const readers = readersOf(row.name, await allTables(deps.metadata));
  if (readers.length > 0) {
    throw new FreshetError('has_readers', `${row.name} is read by ${readers.join(', ')}, by this name.`, {
      hint: 'Drop its readers first, and create them anew over the new name.',
    });
  }
  const {table: from} = await standing(deps, row.name);
  const reserved = {...row, table: name, exists: false};
  // Whoever creates a table of the new name meanwhile is told that somebody is at it.
  await reserveTable(deps, {plan: reserved, run});
  try {
    await deps.lake.look((session) => renameTable(session, from, to), deps.signal);
  } catch (error) {
    await deleteTable(deps.metadata, name, run.runId);
    throw error;
  }
  return {...(await settled(deps, row, name)), outcome: 'altered'};
}

/** What the lake has now, everywhere else too. */
export async function settled(deps: AlterDeps, row: TableRow, name: string): Promise<Omit<AlterResult, 'outcome'>> {
  const after = await standing(deps, name);
  const {mode, reasons} = await repairDefinition(deps, row, after);
  await repairPublication(deps, name, after);
  return {table: name, mode, reasons};
}

/** With its last refresh put down: its commit is known by the state row, which is written anew. */
export async function standing(deps: AlterDeps, name: string): Promise<Published> {
  const state = await deps.lake.look((session) => readStanding(session, tableNamed(name)));
  if (state === null) {
    throw new FreshetError('unknown_dynamic_table', `The lake has nothing of ${name} any more.`, {
      hint: `Drop it: DROP DYNAMIC TABLE ${name}`,
    });
  }
  await repairPublication(deps, name, state);
  return state;
}
