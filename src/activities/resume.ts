import {readersOf} from '../graph/edges.ts';
import {liftSuspension, type TableRow} from '../metadata/dynamic-table.ts';
import type {ResumeInput, ResumeResult} from '../workflows/messages.ts';
import {findTables} from './choose-version.ts';
import type {Deps} from './deps.ts';

/**
 * Lifts the suspension of a table, and of those that read it: they most likely failed because it did. The schedules come first:
 * a second attempt finds in the metadata what is left to do, and a tick in between does nothing.
 */
export async function resumeTable(
  deps: Pick<Deps, 'lake' | 'metadata' | 'schedules' | 'site'>,
  {table: name, taskQueue}: ResumeInput & {readonly taskQueue: string},
): Promise<ResumeResult> {
  const {table, tables} = await findTables(deps, {table: name, trigger: 'manual'});
  const readers = transitiveReadersOf(table, tables).filter(({suspension}) => suspension !== null);
  const resume = ({name: each, definition, mode}: TableRow): Promise<boolean> =>
    deps.schedules.resume({table: each, taskQueue, targetLag: definition.options.targetLag, mode});
  const hadStopped = await resume(table);
  for (const reader of readers) await resume(reader);
  for (const row of [...readers, table]) await liftSuspension(deps.metadata, row.name, row.incarnation);
  return {
    table: table.name,
    outcome: hadStopped || table.suspension !== null ? 'resumed' : 'active',
    readers: readers.map((reader) => reader.name),
  };
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
