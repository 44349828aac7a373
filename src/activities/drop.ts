import {WorkflowNotFoundError, type Client} from '@temporalio/client';
import {didYouMean} from '../definition/nearest.ts';
import {FreshetError} from '../errors.ts';
import {readersOf} from '../graph/edges.ts';
import {dropState, readState} from '../lake/state.ts';
import {dropTarget} from '../lake/target.ts';
import {allTables, deleteTable, findTable, setTableState} from '../metadata/dynamic-table.ts';
import {isSameName} from '../table-name.ts';
import {applyId} from '../temporal-names.ts';
import type {DropInput} from '../workflows/messages.ts';
import type {DropBegun, TableIncarnation} from './activities.ts';
import type {Deps} from './deps.ts';
import {repairTables} from './repair.ts';
import {runningRun} from './running.ts';
import {tableNamed} from './versions.ts';

/** Makes sure that nobody reads the table, and cancels the refresh that runs. Null: there is none, and that is fine. */
export async function beginDrop(deps: Deps, {table, ifExists}: DropInput): Promise<DropBegun | null> {
  const {metadata, temporal, site} = deps;
  await repairTables(deps);
  const tables = await allTables(metadata);
  const row = tables.find(({name}) => isSameName(name, table));
  if (row === undefined) {
    if (ifExists === true) return null;
    const names = tables.map(({name}) => name);
    throw new FreshetError('unknown_dynamic_table', `There is no dynamic table ${table}.`, {
      hint: didYouMean(table, names),
    });
  }
  const readers = readersOf(
    row.name,
    tables.filter(({state}) => state !== 'dropping'),
  );
  if (readers.length > 0) {
    throw new FreshetError('has_readers', `${row.name} is read by ${readers.join(', ')}.`, {
      hint: 'Drop its readers first.',
    });
  }
  await setTableState(metadata, row.name, row.incarnation, 'dropping');
  const running = await cancelled(temporal(), applyId(site.prefix, row.name));
  return {table: row.name, incarnation: row.incarnation, running};
}

/** The run that was asked to stop; null when none was open. */
async function cancelled(temporal: Client, workflowId: string): Promise<string | null> {
  const runId = await runningRun(temporal, workflowId);
  if (runId === null) return null;
  try {
    await temporal.workflow.getHandle(workflowId, runId).cancel();
    return runId;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/**
 * Takes away whatever there is of one life of a table, in an order in which a part can be missing: ticks first, then what the
 * lake has, in one transaction, and last the metadata, without which nobody would know that there is something left to do.
 */
export async function removeTable(
  {lake, metadata, schedules}: Deps,
  {table, incarnation}: TableIncarnation,
): Promise<void> {
  const row = await findTable(metadata, table);
  // A table of that name that is another's keeps its schedule.
  if (row === null || row.incarnation === incarnation) await schedules.delete(table);
  const name = tableNamed(table);
  await lake.look(async (session) => {
    const state = await readState(session, name);
    if (state?.incarnation !== incarnation) return;
    await session.transaction(async () => {
      await dropTarget(session, name, incarnation);
      await dropState(session, name);
    });
  });
  await deleteTable(metadata, table, incarnation);
}
