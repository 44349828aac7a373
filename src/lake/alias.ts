import {path, type Sql} from '../sql.ts';
import type {TableName} from '../table-name.ts';

/** The name under which the lake is attached in every instance of ours; its public name is free for what a query is to see. */
export const lakeAlias = 'freshet_lake';

/** A table of the lake, as our statements name it. */
export function inLake({schema, name}: TableName): Sql {
  return path(lakeAlias, schema, name);
}
