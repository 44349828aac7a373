import type {HistoryEntry} from '../src/metadata/refresh.ts';
import {totalMs} from '../src/cli/show/refresh.ts';
import {bad, bold, count, dim, good, table} from '../src/cli/text.ts';

/** What one refresh of one table did, beside the recomputation measured right after it. */
export type Outcome = {
  readonly table: string;
  readonly refresh: HistoryEntry;
  readonly recomputeMs: number;
  readonly isEqual: boolean;
};

export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function title(text: string): void {
  say(`\n${bold(text)}`);
}

const right = {align: 'right'} as const;

export function outcomesTable(outcomes: readonly Outcome[]): string {
  return table(
    [
      ...[{title: 'table'}, {title: 'action'}, {title: 'changed rows', ...right}, {title: 'affected keys', ...right}],
      ...[{title: 'ms', ...right}, {title: 'full ms', ...right}, {title: 'equal'}, {title: 'reason'}],
    ],
    outcomes.map(({table: name, refresh, recomputeMs, isEqual}) => [
      name,
      refresh.action ?? 'failed',
      count(refresh.changedRows ?? 0),
      count(refresh.affectedKeys ?? 0),
      count(Math.round(totalMs(refresh.phases))),
      count(Math.round(recomputeMs)),
      isEqual ? good('yes') : bad('no'),
      refresh.error ?? refresh.reason ?? '',
    ]),
  );
}

/** Where a refresh was incremental and yet no cheaper than its recomputation: said aloud, not left to be found. */
export function dearerLine(outcomes: readonly Outcome[]): string | null {
  const dearer = outcomes.filter(
    ({refresh, recomputeMs}) => refresh.action === 'INCREMENTAL' && totalMs(refresh.phases) >= recomputeMs,
  );
  if (dearer.length === 0) return null;
  return dim(
    `Incremental was no cheaper here than a full recomputation: ${dearer.map((each) => each.table).join(', ')}.`,
  );
}
