import {FreshetError} from '../errors.ts';
import type {ApplyInput} from '../refresh/messages.ts';
import {readTableName, tableNameText} from '../table-name.ts';
import type {TableName} from '../table-name.ts';

/** Where a refresh reads each table, view and macro of the lake. */
export type Versions = {readonly dataVersion: number; readonly snapshotOf: (name: TableName) => number};

/** Base tables at the data version; a dynamic table only at the snapshot of its own publication for that version. */
export function versionsOf({dataVersion, upstreams}: Pick<ApplyInput, 'dataVersion' | 'upstreams'>): Versions {
  const published = new Map(Object.entries(upstreams).map(([table, {snapshot}]) => [table.toLowerCase(), snapshot]));
  return {dataVersion, snapshotOf: (name) => published.get(tableNameText(name).toLowerCase()) ?? dataVersion};
}

/** A table's name as it came through Temporal. */
export function tableNamed(text: string): TableName {
  const table = readTableName(text);
  if (table === null) throw new FreshetError('unknown_dynamic_table', `"${text}" is not the name of a table`);
  return table;
}
