import type {Progress} from '../../client.ts';
import type {StatementProgress} from '../../refresh/messages.ts';
import {count, duration} from '../text.ts';
import {phaseName} from './refresh.ts';

/** Where a refresh is: `publish: recompute 41 % (1,230,000 of about 3,000,000 rows), 12.0 s`. */
export function progressText(progress: Progress): string {
  const work = workText(progress);
  return `${phaseName(progress.phase)}${work === '' ? '' : `: ${work}`}`;
}

/** What is at work in its phase: a statement, or an upstream table. */
export function workText({statement, upstream}: Progress): string {
  if (upstream !== null) return `${upstream.table}, ${progressText(upstream)}`;
  return statement === null ? '' : statementText(statement);
}

function statementText({label, percent, rows, totalRows, seconds}: StatementProgress): string {
  const share = percent === null ? '' : ` ${percent} % (${count(rows ?? 0)} of about ${count(totalRows ?? 0)} rows)`;
  return `${label ?? 'a statement'}${share}, ${duration(seconds * 1000)}`;
}
