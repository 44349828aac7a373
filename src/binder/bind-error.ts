import {didYouMean} from '../definition/nearest.ts';
import {positionInStatement} from '../definition/position.ts';
import type {Query} from '../definition/statement.ts';
import {FreshetError, type ErrorCode} from '../errors.ts';
import {textOf, type JsonObject} from './json.ts';

/** DuckDB's answer that a query can't be bound, as our error: its own words, our code, the place, and what was probably meant. */
export function bindError(answer: JsonObject, query: Query, columns: readonly string[]): FreshetError {
  const [first = '', ...rest] = textOf(answer['error_message']).split('\n');
  const kind = kinds.find(({pattern}) => pattern.test(first));
  const written = kind === undefined ? undefined : kind.pattern.exec(first)?.[1];
  const known = [...candidatesOf(answer, rest), ...(kind?.code === 'unknown_column' ? columns : [])];
  const advice = rest.filter((line) => line.trim() !== '' && !/^(Candidate|Did you mean)/.test(line)).join(' ');
  return new FreshetError(kind?.code ?? 'invalid_query', first, {
    position: positionOf(answer, query),
    hint: written === undefined ? advice || undefined : (didYouMean(written, known) ?? (advice || undefined)),
  });
}

const kinds: readonly {readonly code: ErrorCode; readonly pattern: RegExp}[] = [
  {code: 'unknown_column', pattern: /^Referenced column "(.*?)" not found/},
  {code: 'unknown_column', pattern: /does not have a column named "(.*?)"/},
  {code: 'unknown_column', pattern: /^Column "(.*?)" in \w+ list not found/},
  {code: 'unknown_source', pattern: /^Referenced table "(.*?)" not found/},
  {code: 'unknown_source', pattern: /^Table with name "?(.*?)"? does not exist/},
  {code: 'ambiguous_name', pattern: /^Ambiguous reference to \w+(?: name)? "(.*?)"/},
  {code: 'invalid_query', pattern: /^[\w ]+ with name (.*?) does not exist/},
];

/** Names that DuckDB itself proposes. */
function candidatesOf(answer: JsonObject, lines: readonly string[]): readonly string[] {
  const inText = lines.flatMap((line) => [...line.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name));
  const listed = textOf(answer['candidates']);
  return listed === '' ? inText : [...listed.split(','), ...inText];
}

function positionOf(answer: JsonObject, query: Query): FreshetError['position'] {
  const at = answer['position'];
  return at === undefined ? undefined : positionInStatement(query, Number(at));
}
