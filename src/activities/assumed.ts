import {tokenize} from '../definition/tokens.ts';
import {FreshetError} from '../errors.ts';
import type {LakeTable} from '../lake/catalog.ts';
import type {AssumedTable} from '../workflows/messages.ts';
import {tableNamed} from './versions.ts';

/** Assumed tables as the lake would have them; no table of its own has such an id. */
export function assumedTables(assumed: readonly AssumedTable[] = []): readonly LakeTable[] {
  return assumed.map(({table, columns}) => ({
    table: tableNamed(table),
    tableId: -1,
    columns: columns.map(({name, type}, place) => ({name, type: checkedType(type), fieldId: place + 1})),
    snapshot: -1,
  }));
}

/** It came through Temporal and is written into a statement, of which it must stay a part. */
function checkedType(type: string): string {
  let depth = 0;
  for (const {kind, value} of tokenize(type)) {
    if (kind !== 'symbol') continue;
    depth += value === '(' ? 1 : value === ')' ? -1 : 0;
    if (depth < 0 || !'()[],'.includes(value)) throw noType(type);
  }
  if (depth !== 0) throw noType(type);
  return type;
}

function noType(type: string): FreshetError {
  return new FreshetError('invalid_option', `"${type}" is no type of a column.`);
}
