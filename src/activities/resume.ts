import {readersOf} from '../graph/edges.ts';
import {liftSuspension, type TableRow} from '../metadata/dynamic-table.ts';
import type {ResumeInput, ResumeResult} from '../workflows/messages.ts';
import {findTables} from './choose-version.ts';
import type {Deps} from './deps.ts';

/**
 * Lifts the suspension of a table, and of those that read it: they most likely failed because it did. The schedules come first:
 * a second attempt finds in the metadata what is left to do, and a tick in between does nothing.
 */
export async function resumeTable(deps: Deps, {table: name}: ResumeInput): Promise<ResumeResult> {
  const {table, tables} = await findTables(deps, {table: name, trigger: 'manual'});
  const readers = transitiveReadersOf(table, tables).filter(({suspension}) => suspension !== null);
  const wasPaused = await resumeSchedule(deps, table);
  for (const reader of readers) await resumeSchedule(deps, reader);
  for (const row of [...readers, table]) await liftSuspension(deps.metadata, row.name, row.incarnation);
  return {
    table: table.name,
    outcome: wasPaused || table.suspension !== null ? 'resumed' : 'active',
    readers: readers.map((reader) => reader.name),
  };
}

function resumeSchedule({schedules}: Deps, {name, definition, mode}: TableRow): Promise<boolean> {
  return schedules.resume({table: name, targetLag: definition.options.targetLag, mode});
}

function transitiveReadersOf({name}: TableRow, tables: readonly TableRow[]): readonly TableRow[] {
  const found = new Set<string>();
  const visit = (reader: string): void => {
    if (found.has(reader)) return;
    found.add(reader);
    readersOf(reader, tables).forEach(visit);
  };
  readersOf(name, tables).forEach(visit);
  return tables.filter((table) => found.has(table.name));
}
