import {transitiveReadersOf} from '../graph/edges.ts';
import {allTables, suspendByUser} from '../metadata/dynamic-table.ts';
import {upstreamSuspensionNote, userSuspensionNote} from '../schedule-note.ts';
import type {SuspendInput, SuspendResult} from '../workflows/messages.ts';
import {rowOf} from './alter.ts';
import {findTables} from './choose-version.ts';
import type {Deps} from './deps.ts';

/**
 * Has a table stand still, and with it those that read it. The metadata come first: ticks ask them alone, and that a reader stands still
 * follows from the one row. The schedules are paused for people to see, and save their ticks.
 */
export async function suspendTable(
  deps: Pick<Deps, 'lake' | 'metadata' | 'schedules' | 'site'>,
  {table: name, runId}: SuspendInput & {readonly runId: string},
): Promise<SuspendResult> {
  const {metadata, schedules} = deps;
  const {incarnation} = (await findTables(deps, {table: name, trigger: 'manual'})).table;
  await suspendByUser(metadata, incarnation, runId);
  const table = await rowOf(deps, {table: name, incarnation});
  await schedules.pause(table.name, userSuspensionNote(table.name));
  const tables = await allTables(metadata);
  const above = transitiveReadersOf(table.name, tables);
  const readers = tables.filter((reader) => above.includes(reader.name) && reader.suspension?.kind !== 'user');
  for (const reader of readers) {
    const isPaused = (await schedules.noteOfPause(reader.name)) !== null;
    if (!isPaused) await schedules.pause(reader.name, upstreamSuspensionNote(table.name));
  }
  // Another attempt of this run may have done it.
  const isOurs = table.suspension?.runId === runId;
  return {
    table: table.name,
    outcome: isOurs ? 'suspended' : 'unchanged',
    readers: readers.map((reader) => reader.name),
  };
}
