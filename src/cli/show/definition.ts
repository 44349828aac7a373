import type {
  AlterResult,
  CreateResult,
  DropResult,
  Explanation,
  ResumeResult,
  SuspendResult,
} from '../../workflows/messages.ts';
import {bold, dim, good, section} from '../text.ts';
import {showRefresh} from './refresh.ts';

/** What came of CREATE DYNAMIC TABLE. */
export function showCreate(result: CreateResult): string {
  if (result.outcome === 'exists') return `${bold(result.table)} exists already; nothing was changed.`;
  const done = {created: good('Created'), replaced: good('Replaced'), 'dry-run': 'Would create'}[result.outcome];
  return [
    `${done} ${bold(result.table)} over ${result.sources.join(', ') || 'no table'}.`,
    `Its ${modeText(result)}`,
    result.outcome === 'dry-run' ? section('Columns', columnsText(result.columns)) : otherTypes(result.columns),
    result.refresh === null ? '' : showRefresh(result.refresh),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

export function showDrop({table, outcome}: DropResult): string {
  return outcome === 'dropped'
    ? `${good('Dropped')} ${bold(table)}.`
    : `${bold(table)} does not exist; nothing was changed.`;
}

export function showAlter(result: AlterResult): string {
  if (result.outcome === 'unchanged') return `${bold(result.table)} was so already; nothing was changed.`;
  return `${good('Altered')} ${bold(result.table)}: its ${modeText(result)}`;
}

export function showSuspend({table, outcome, readers}: SuspendResult): string {
  if (outcome === 'unchanged') return `${bold(table)} was suspended before; nothing was changed.`;
  const also = readers.length === 0 ? '' : `, with ${readers.join(', ')}`;
  return `${good('Suspended')} ${bold(table)}${also}: no scheduled refresh until freshet resume ${table}.`;
}

export function showResume({table, outcome, readers, suspendedUpstream}: ResumeResult): string {
  if (outcome === 'upstream_suspended')
    return `${bold(table)} goes on when ${suspendedUpstream} does, which it reads: freshet resume ${suspendedUpstream}.`;
  if (outcome === 'active' && readers.length === 0) return `${bold(table)} was not suspended; nothing was changed.`;
  const also = readers.length === 0 ? '' : `, with ${readers.join(', ')}`;
  return `${good('Resumed')} ${bold(table)}${also}: refreshed by schedule again.`;
}

/** How a query would be refreshed, and by which statements. */
export function showExplanation(explanation: Explanation): string {
  const {table, query, columns, sources, relation, statements} = explanation;
  return [
    `${table === null ? 'This query' : bold(table)}: ${modeText(explanation)}`,
    section('Query', query.trim()),
    section('Columns', columnsText(columns)),
    section('Sources', sources.map((source) => `${source.table} ${dim(`(${source.columns.join(', ')})`)}`).join('\n')),
    relation === null ? '' : section('Relation', relation),
    ...statements.map(({label, sql}) => section(`Statement: ${label}`, sql)),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** What the refreshes to come will be, in a sentence. */
export function modeText({
  mode,
  reasons,
}: {
  readonly mode: 'incremental' | 'full';
  readonly reasons: readonly string[];
}): string {
  if (mode === 'incremental') return 'refreshes are incremental where that is cheaper.';
  return `refreshes are full: ${reasons.join('; ')}.`;
}

/** A line each; where the lake would change a value, the type that keeps it. */
export function columnsText(columns: Explanation['columns']): string {
  return columns
    .map(({name, type, queryType}) =>
      queryType === undefined ? `${name} ${dim(type)}` : `${name} ${dim(`${type}, for the query's ${queryType}`)}`,
    )
    .join('\n');
}

function otherTypes(columns: Explanation['columns']): string {
  return columns
    .flatMap(({name, type, queryType}) => (queryType === undefined ? [] : [`${name} as ${type} for ${queryType}`]))
    .map((text, i) => (i === 0 ? `Stored exactly, as a type that the lake keeps: ${text}` : text))
    .join(', ');
}
