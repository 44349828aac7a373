import type {Verification} from '../../client.ts';
import {bad, bold, count, duration, good, rowCount, table} from '../text.ts';

/** Whether a table is what its query gives, and the first rows where it is not. */
export function showVerification(result: Verification): string {
  const lines = [`${bold(result.table)}: ${verdictText(result)}`];
  if (result.note !== null) lines.push(result.note);
  if (result.differences.length > 0) lines.push(differencesText(result));
  return lines.join('\n');
}

function verdictText({verdict, dataVersion, rows, missing, unexpected, milliseconds}: Verification): string {
  const took = `(${duration(milliseconds)})`;
  switch (verdict) {
    case 'equal':
      return `${good('equal')} to its query at snapshot ${dataVersion}: ${rowCount(rows)} ${took}`;
    case 'different':
      return (
        `${bad('different')} from its query at snapshot ${dataVersion}: it lacks ${rowCount(missing)}, ` +
        `and has ${rowCount(unexpected)} too many ${took}`
      );
    case 'history-changed':
      return `can't be compared: the history of a source has changed since it was published at snapshot ${dataVersion}`;
  }
}

function differencesText({columns, differences}: Verification): string {
  return table(
    [{title: 'side'}, {title: 'rows', align: 'right'}, ...columns.map((title) => ({title}))],
    differences.map(({side, count: rows, values}) => [side, count(rows), ...values.map((value) => value ?? 'NULL')]),
  );
}
