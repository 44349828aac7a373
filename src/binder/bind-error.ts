import {didYouMean} from '../definition/nearest.ts';
import {positionAt, positionInStatement} from '../definition/position.ts';
import type {Query} from '../definition/statement.ts';
import {tokenize} from '../definition/tokens.ts';
import {FreshetError, type ErrorCode} from '../errors.ts';
import {textOf, type JsonObject} from './json.ts';

/** Names that a query could have meant, and DuckDB did not see. */
export type Known = {readonly columns: readonly string[]; readonly macros: readonly string[]};

/** DuckDB's answer that a query can't be bound, as our error: its own words, our code, the place, and what was probably meant. */
export function bindError(answer: JsonObject, query: Query, known: Known): FreshetError {
  const {code, message, written, candidates, advice} = readMistake(answer);
  const more = code === 'unknown_column' ? known.columns : /^Scalar Function/.test(message) ? known.macros : [];
  const near = written === null ? undefined : didYouMean(written, [...candidates, ...more]);
  return new FreshetError(code, message, {position: positionOf(answer, query, written), hint: near ?? advice});
}

/** What DuckDB says is wrong, without looking at the text it is about. */
export type Mistake = {
  readonly code: ErrorCode;
  readonly message: string;
  /** The name that it stumbled over. */
  readonly written: string | null;
  /** Names that DuckDB itself proposes. */
  readonly candidates: readonly string[];
  readonly advice: string | undefined;
};

export function readMistake(answer: JsonObject): Mistake {
  const [message = '', ...rest] = textOf(answer['error_message']).split('\n');
  const kind = kinds.find(({pattern}) => pattern.test(message));
  return {
    code: kind?.code ?? 'invalid_query',
    message,
    written: kind?.pattern.exec(message)?.[1] ?? null,
    candidates: candidatesOf(answer, rest),
    advice: adviceIn(rest),
  };
}

const kinds: readonly {readonly code: ErrorCode; readonly pattern: RegExp}[] = [
  {code: 'unknown_column', pattern: /^Referenced column "(.*?)" (?:not found|was not found)/},
  {code: 'unknown_column', pattern: /does not have a column named "(.*?)"/},
  {code: 'unknown_column', pattern: /^Column "(.*?)" (?:in \w+ list not found|does not exist on \w+ side of join)/},
  {code: 'unknown_source', pattern: /^Referenced table "(.*?)" not found/},
  {code: 'unknown_source', pattern: /^Table with name "?(.*?)"? does not exist/},
  {code: 'ambiguous_name', pattern: /^Ambiguous reference to \w+(?: name)? "(.*?)"/},
  {code: 'invalid_query', pattern: /^Could not find key "(.*?)" in struct/},
  {code: 'invalid_query', pattern: /^[\w ]+ with name "?(.*?)"? does not exist/},
];

function candidatesOf(answer: JsonObject, lines: readonly string[]): readonly string[] {
  const inText = lines.flatMap((line) => [...line.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name));
  const listed = textOf(answer['candidates']);
  return listed === '' ? inText : [...listed.split(','), ...inText];
}

/** More would bury what went before: an operator has forty signatures. */
const mostCandidates = 3;

function adviceIn(lines: readonly string[]): string | undefined {
  const said = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('Did you mean'));
  const list = said.findIndex((line) => line.startsWith('Candidate'));
  const [advice, candidates] = list < 0 ? [said, []] : [said.slice(0, list), said.slice(list)];
  const kept = candidates.length - 1 <= mostCandidates ? candidates : [];
  return [...advice, ...kept].join(' ') || undefined;
}

/** Where DuckDB gives no place, the name that it stumbled over tells it, if it stands in the query only once. */
function positionOf(answer: JsonObject, query: Query, written: string | null): FreshetError['position'] {
  const at = answer['position'];
  if (at !== undefined) return positionInStatement(query, Number(at));
  const places = tokenize(query.text).filter(
    ({kind, value}) => (kind === 'word' || kind === 'quoted') && value.toLowerCase() === written?.toLowerCase(),
  );
  const [only, ...others] = places;
  return only === undefined || others.length > 0 ? undefined : positionAt(query.statement, query.offset + only.start);
}
