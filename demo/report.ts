import {totalMs} from '../src/cli/show/refresh.ts';
import {bad, bold, count, dim, duration, good, indent, table} from '../src/cli/text.ts';
import type {HistoryEntry} from '../src/metadata/refresh.ts';
import type {CreateResult} from '../src/workflows/messages.ts';
import type {DemoTable} from './tables.ts';

/** What one refresh of one table did, beside the recomputation measured right after it. */
export type Outcome = {
  readonly table: string;
  readonly refresh: HistoryEntry;
  readonly recomputeMs: number;
  readonly isEqual: boolean;
};

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function title(text: string): void {
  say(`\n${bold(text)}`);
}

/** A table that has just been created. */
export function createdText({name, purpose}: DemoTable, {mode, reasons, refresh}: CreateResult): string {
  const rows = refresh?.refresh?.rows ?? 0;
  const ms = totalMs(refresh?.refresh?.phases ?? {});
  const how = mode === 'incremental' ? 'incremental' : `always full: ${reasons.join('; ')}`;
  return `${bold(name)}: ${purpose}\n${indent(`${count(rows)} rows in ${duration(ms)}; refreshes are ${how}`)}`;
}

const right = {align: 'right'} as const;

/** What the columns of the tables to come are. */
export const legend = dim(
  [
    'changed: rows of its sources that came or went; keys: groups to recompute because of them;',
    'ms: the refresh, from looking at the lake to its commit; full ms: its query run from nothing into the same lake, right after.',
  ].join('\n'),
);

/** After a change, a line for each table. */
export function outcomesTable(outcomes: readonly Outcome[]): string {
  return table(
    [
      ...[{title: 'table'}, {title: 'action'}, {title: 'changed', ...right}, {title: 'keys', ...right}],
      ...[{title: 'ms', ...right}, {title: 'full ms', ...right}, {title: 'equal'}, {title: 'reason'}],
    ],
    outcomes.map(({table: name, refresh, recomputeMs, isEqual}) => [
      name,
      refresh.action ?? 'failed',
      count(refresh.changedRows ?? 0),
      count(refresh.affectedKeys ?? 0),
      count(totalMs(refresh.phases)),
      count(Math.round(recomputeMs)),
      isEqual ? good('yes') : bad('no'),
      refresh.error ?? refresh.reason ?? '',
    ]),
  );
}

/** Where a refresh was incremental and yet no cheaper than its recomputation: said aloud, not left to be found. */
export function dearerText(outcomes: readonly Outcome[]): string {
  const dearer = outcomes.filter(isDearer).map((each) => each.table);
  return dearer.length === 0
    ? ''
    : dim(`\nNo cheaper than a full recomputation, though incremental: ${dearer.join(', ')}.`);
}

export function closingText(outcomes: readonly Outcome[], milliseconds: number): string {
  const incremental = outcomes.filter(({refresh}) => refresh.action === 'INCREMENTAL');
  const cheaper = incremental.filter((outcome) => !isDearer(outcome));
  const wrong = outcomes.filter(({isEqual}) => !isEqual);
  return [
    wrong.length === 0
      ? good(`All ${outcomes.length} times the table was equal to its query.`)
      : bad(`${wrong.length} of ${outcomes.length} times the table was not equal to its query.`),
    `${incremental.length} refreshes were incremental; ${cheaper.length} of them were cheaper than a full recomputation.`,
    `The demo took ${duration(milliseconds)}.`,
  ].join('\n');
}

function isDearer({refresh, recomputeMs}: Outcome): boolean {
  return refresh.action === 'INCREMENTAL' && totalMs(refresh.phases) >= recomputeMs;
}
