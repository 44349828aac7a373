import {FreshetError} from '../errors.ts';
import type {Options, RefreshMode, TargetLag} from './definition.ts';
import {didYouMean} from './nearest.ts';
import {longestLagDays, parseLagSeconds, shortestLagSeconds, isLag} from './target-lag.ts';
import type {TokenReader} from './token-reader.ts';
import type {Token} from './tokens.ts';

/** What an option's value must be, and how it is read: null when it is something else. */
type Option = {
  readonly expected: string;
  readonly read: (value: Token) => Partial<Options> | null;
  /** What is wrong with a value that is nearly right; null when it is not. */
  readonly problem?: (value: Token) => string | null;
};

const options: Readonly<Record<string, Option>> = {
  TARGET_LAG: {
    expected: "a span of time such as '5 minutes' (in seconds, minutes, hours, days or weeks), or DOWNSTREAM",
    read: (value) => withValue('targetLag', targetLag(value)),
    problem: (value) => lagProblem(lagSeconds(value)),
  },
  REFRESH_MODE: {
    expected: 'AUTO, INCREMENTAL or FULL',
    read: (value) => withValue('refreshMode', oneOf<RefreshMode>(value, ['AUTO', 'INCREMENTAL', 'FULL'])),
  },
  INITIALIZE: {
    expected: 'ON_CREATE or ON_SCHEDULE',
    read: (value) => withValue('initialize', oneOf(value, ['ON_CREATE', 'ON_SCHEDULE'] as const)),
  },
  CARDINALITY_THRESHOLD: {
    expected: 'a number from 0 to 1',
    read: (value) => withValue('cardinalityThreshold', share(value)),
  },
  PRIORITY: {
    expected: 'a whole number from 1, the first, to 5, the last',
    read: (value) => withValue('priority', priority(value)),
  },
  COMMENT: {
    expected: "a text in quotes: 'who it is for', or NULL for none",
    read: comment,
  },
};

/** What `docs/sql.md` says of each option. */
export const optionTexts: readonly {readonly name: string; readonly expected: string}[] = Object.entries(options).map(
  ([name, {expected}]) => ({name, expected}),
);

const defaults: Omit<Options, 'targetLag'> = {
  refreshMode: 'AUTO',
  initialize: 'ON_CREATE',
  cardinalityThreshold: 0.3,
  comment: null,
};

/** What a query begins with. */
const queryWords = ['SELECT', 'WITH', 'FROM', 'VALUES'];

/** Reads options in any order, with or without commas, up to and including AS. */
export function readOptions(reader: TokenReader): Options {
  let given: Partial<Options> = {};
  const seen = new Set<string>();
  while (!reader.takeWords('AS')) {
    if (isNext(reader, queryWords)) throw reader.error('AS is missing before the query');
    given = {...given, ...readOption(reader, seen, 'an option or AS')};
    reader.takeSymbol(',');
  }
  const {targetLag: lag} = given;
  if (lag === undefined) {
    throw reader.error('TARGET_LAG is missing', {hint: "Say how stale the table may be: TARGET_LAG = '5 minutes'."});
  }
  return {...defaults, ...given, targetLag: lag};
}

/** Reads the options that are to be others, as far as they go. */
export function readChanges(reader: TokenReader): Partial<Options> {
  let given: Partial<Options> = {};
  const seen = new Set<string>();
  do {
    if (isNext(reader, ['INITIALIZE']))
      throw invalidOption(reader, 'INITIALIZE says how a table begins, and this one has begun');
    given = {...given, ...readOption(reader, seen, 'an option')};
    reader.takeSymbol(',');
  } while (reader.peek()?.kind === 'word');
  return given;
}

function isNext(reader: TokenReader, words: readonly string[]): boolean {
  const next = reader.peek();
  return next?.kind === 'word' && words.includes(next.value.toUpperCase());
}

function readOption(reader: TokenReader, seen: Set<string>, expected: string): Partial<Options> {
  const named = reader.peek();
  if (named?.kind !== 'word') throw reader.error(`${reader.found()} stands where ${expected} belongs`);
  const name = named.value.toUpperCase();
  const option = options[name];
  if (option === undefined) throw unknownOption(reader, name);
  if (seen.has(name)) throw invalidOption(reader, `${name} is given twice`);
  seen.add(name);
  reader.take();
  if (!reader.takeSymbol('=')) throw reader.error(`"=" must follow ${name}, not ${reader.found()}`);
  const value = reader.peek();
  const read = value === undefined ? null : option.read(value);
  if (read === null) throw invalidOption(reader, valueProblem(reader, name, option));
  reader.take();
  return read;
}

function valueProblem(reader: TokenReader, name: string, {expected, problem}: Option): string {
  const value = reader.peek();
  const nearly = value === undefined ? null : (problem?.(value) ?? null);
  return nearly === null ? `${name} is ${expected}, not ${reader.found()}` : `${name} = ${reader.found()} is ${nearly}`;
}

function unknownOption(reader: TokenReader, name: string): FreshetError {
  const known = Object.keys(options);
  const {message, position} = reader.error(`There is no option ${name}`);
  const hint = didYouMean(name, known) ?? `The options are ${known.join(', ')}.`;
  return new FreshetError('unknown_option', message, {position, hint});
}

function invalidOption(reader: TokenReader, text: string): FreshetError {
  const {message, position} = reader.error(text);
  return new FreshetError('invalid_option', message, {position});
}

function withValue<K extends keyof Options>(key: K, value: Options[K] | null): Partial<Options> | null {
  // A computed key widens to an index signature, though it is one of Options.
  return value === null ? null : ({[key]: value} as Partial<Options>);
}

function targetLag(value: Token): TargetLag | null {
  if (oneOf(value, ['DOWNSTREAM']) !== null) return {kind: 'downstream'};
  const seconds = lagSeconds(value);
  return seconds !== null && isLag(seconds) ? {kind: 'seconds', seconds} : null;
}

function lagProblem(seconds: number | null): string | null {
  if (seconds === null) return null;
  return seconds < shortestLagSeconds
    ? `too short: it must be at least ${shortestLagSeconds} seconds`
    : `too long: it must be at most ${longestLagDays} days`;
}

function lagSeconds(value: Token): number | null {
  return value.kind === 'string' ? parseLagSeconds(value.value) : null;
}

function oneOf<Word extends string>(value: Token, words: readonly Word[]): Word | null {
  if (value.kind !== 'word' && value.kind !== 'string') return null;
  return words.find((word) => word === value.value.toUpperCase()) ?? null;
}

function priority(value: Token): number | null {
  const isNumber = (value.kind === 'number' || value.kind === 'string') && /^\s*[1-5]\s*$/.test(value.value);
  return isNumber ? Number(value.value) : null;
}

/** An empty one is none, as it is for PostgreSQL. */
function comment(value: Token): Partial<Options> | null {
  if (value.kind === 'string') return {comment: value.value === '' ? null : value.value};
  return value.kind === 'word' && value.value.toUpperCase() === 'NULL' ? {comment: null} : null;
}

function share(value: Token): number | null {
  const isNumber = (value.kind === 'number' || value.kind === 'string') && /^\s*[\d.]/.test(value.value);
  const number = isNumber ? Number(value.value) : Number.NaN;
  return number >= 0 && number <= 1 ? number : null;
}
