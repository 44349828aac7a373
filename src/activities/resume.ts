import {transitiveReadersOf} from '../graph/edges.ts';
import {inTransaction} from '../metadata/database.ts';
import {allTables, liftSuspension, suspendedBelow, type TableRow} from '../metadata/dynamic-table.ts';
import {isUpstreamSuspensionNote, upstreamSuspensionNote} from '../schedule-note.ts';
import type {ResumeInput, ResumeResult} from '../workflows/messages.ts';
import {findTables} from './choose-version.ts';
import type {Deps} from './deps.ts';

type ResumeDeps = Pick<Deps, 'lake' | 'metadata' | 'schedules' | 'site'>;

/**
 * Lifts the suspension of a table, and has those go on that read it: they stood still with it, or most likely failed because it did;
 * not those that somebody has suspended themselves, nor what is above such a one. The schedules come first: a second attempt
 * finds in the metadata what is left to do, and a tick in between does nothing.
 */
export async function resumeTable(
  deps: ResumeDeps,
  {table: name, taskQueue}: ResumeInput & {readonly taskQueue: string},
): Promise<ResumeResult> {
  const {table, tables} = await findTables(deps, {table: name, trigger: 'manual'});
  const below = suspendedBelow(table.name, tables);
  if (below !== null) return await staySuspended(deps, table, below);
  const readers = readersToResume(table, tables);
  const resume = ({name: each, definition, mode}: TableRow): Promise<boolean> =>
    deps.schedules.resume({table: each, taskQueue, targetLag: definition.options.targetLag, mode});
  const hadStopped = await resume(table);
  for (const reader of readers) {
    const note = reader.suspension === null ? await deps.schedules.noteOfPause(reader.name) : null;
    if (reader.suspension !== null || (note !== null && isUpstreamSuspensionNote(note))) await resume(reader);
  }
  await lift(deps, [...readers, table]);
  await deleteStray(deps, [...readers, table]);
  return {
    table: table.name,
    outcome: hadStopped || table.suspension !== null ? 'resumed' : 'active',
    readers: readers.map((reader) => reader.name),
    suspendedUpstream: null,
  };
}

/** It is no longer suspended itself, and goes on when the one below does. */
async function staySuspended(deps: ResumeDeps, table: TableRow, below: string): Promise<ResumeResult> {
  const isPaused = (await deps.schedules.noteOfPause(table.name)) !== null;
  if (table.suspension !== null || !isPaused) await deps.schedules.pause(table.name, upstreamSuspensionNote(below));
  await lift(deps, [table]);
  return {table: table.name, outcome: 'upstream_suspended', readers: [], suspendedUpstream: below};
}

/** Those above that stand still now, and won't once the table goes on. */
function readersToResume(table: TableRow, tables: readonly TableRow[]): readonly TableRow[] {
  const above = transitiveReadersOf(table.name, tables);
  const after = tables.map((each) => (each.name === table.name ? {...each, suspension: null} : each));
  return tables.filter(
    ({name, suspension}) =>
      above.includes(name) &&
      suspension?.kind !== 'user' &&
      (suspension !== null || suspendedBelow(name, tables) !== null) &&
      suspendedBelow(name, after) === null,
  );
}

async function lift({metadata}: ResumeDeps, tables: readonly TableRow[]): Promise<void> {
  await inTransaction(metadata, async (client) => {
    for (const {incarnation} of tables) await liftSuspension(client, incarnation);
  });
}

/** One that was renamed or dropped meanwhile may just have been given a schedule again. */
async function deleteStray({metadata, schedules}: ResumeDeps, resumed: readonly TableRow[]): Promise<void> {
  const there = (await allTables(metadata)).filter(({state}) => state !== 'dropping').map(({name}) => name);
  for (const {name} of resumed) if (!there.includes(name)) await schedules.delete(name);
}
