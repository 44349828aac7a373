import type {MaintainResult} from '../../workflows/messages.ts';
import {bad, bold, dim, good} from '../text.ts';

/** What became of each table's files. */
export function showMaintenance({tables}: {readonly tables: readonly MaintainResult[]}): string {
  return tables.length === 0 ? 'There are no dynamic tables.' : tables.map(lineOf).join('\n');
}

function lineOf({table, outcome, before, after, reason}: MaintainResult): string {
  switch (outcome) {
    case 'nothing-to-do':
      return `${bold(table)}: nothing to do ${dim(`(${filesText(before)})`)}`;
    case 'maintained':
      return `${bold(table)}: ${good('maintained')}, ${filesText(before)} before, ${filesText(after)} now`;
    case 'rebuilt':
      return `${bold(table)}: ${bad('rebuilt')}: ${reason ?? 'another run was first'}`;
  }
}

function filesText({data, deletes}: MaintainResult['before']): string {
  const files = `${data} ${data === 1 ? 'file' : 'files'}`;
  return deletes === 0 ? files : `${files}, ${deletes} with deleted rows`;
}
