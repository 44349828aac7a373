import type {PlainResult} from '../plain-sql.ts';
import {rowCount, table, type Align} from '../text.ts';

/** What a statement of plain SQL gave, with its values as texts. */
export function showRows(result: PlainResult): string {
  switch (result.kind) {
    case 'done':
      return 'Done.';
    case 'changed':
      return `${rowCount(result.rows)} changed.`;
    case 'rows':
      return [rowsTable(result), closing(result)].join('\n');
  }
}

type Rows = Extract<PlainResult, {kind: 'rows'}>;

function rowsTable({columns, rows}: Rows): string {
  return table(
    columns.map(({name, type}) => ({title: name, align: alignment(type)})),
    rows.map((row) => row.map((value) => (value === null ? 'NULL' : String(value)))),
  );
}

function alignment(type: string): Align {
  return /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL.*|FLOAT|DOUBLE)$/.test(type) ? 'right' : 'left';
}

function closing({rows, hasMore}: Rows): string {
  return hasMore ? `(the first ${rowCount(rows.length)}; --json prints all)` : `(${rowCount(rows.length)})`;
}
