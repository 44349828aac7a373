import {readMistake} from '../binder/bind-error.ts';
import {isObject, parseJson, textOf, type JsonObject} from '../binder/json.ts';
import {didYouMean} from '../definition/nearest.ts';
import {positionAt, positionInStatement} from '../definition/position.ts';
import {bareQuery} from '../definition/statement.ts';
import {FreshetError, type ErrorCode, type Position} from '../errors.ts';
import {classify, withoutTrace, type LakeErrorKind} from '../lake/errors.ts';

/**
 * An error of a DuckDB that tells its errors as JSON (`errors_as_json`): its own words, the code of ours that comes nearest, and
 * the place in the statement.
 */
export function plainSqlError(message: string, statement: string): FreshetError {
  const lake = lakeError(message);
  if (lake !== null) return lake;
  const {kind, answer} = readError(message);
  const mistake = readMistake(answer);
  const code = codeOf(kind, mistake.message, mistake.code);
  const near = mistake.written === null ? undefined : didYouMean(mistake.written, mistake.candidates);
  return new FreshetError(code, kind === 'Parser' ? capital(mistake.message) : mistake.message, {
    position: positionOf(kind, answer['position'], statement),
    hint: near ?? mistake.advice,
  });
}

/** The lake that the environment names is not there, or is another one; DuckDB's own text would have to be read twice. */
function lakeError(message: string): FreshetError | null {
  const why = /Unable to connect to Postgres at ".*?": (.*)$/s.exec(message)?.[1];
  if (why !== undefined) {
    return new FreshetError('unavailable', `The lake's catalog can't be reached: ${oneLine(why)}`, {
      hint: 'Is PostgreSQL running, and is FRESHET_LAKE right?',
    });
  }
  const path = /DATA_PATH parameter .* does not match existing data path in the catalog (".*?")/s.exec(message)?.[1];
  if (path === undefined) return null;
  return new FreshetError('invalid_configuration', `The lake's files are in ${path}, not in FRESHET_LAKE_DATA_PATH.`);
}

type DuckDBError = {
  /** Parser, Binder, Conversion …; null when it is not known. */
  readonly kind: string | null;
  readonly answer: JsonObject;
};

/** The form that `json_serialize_plan` gives errors too. */
function readError(message: string): DuckDBError {
  const json = /^(?:Failed to extract statements: )?(?:\w[\w ]* Error: )?(\{.*\})$/s.exec(message)?.[1];
  const told = json === undefined ? null : readJson(json);
  if (told !== null) {
    const text = withoutTrace(textOf(told['exception_message']));
    return {kind: textOf(told['exception_type']), answer: {...told, error_message: text}};
  }
  const [, kind = null, text = message] = /^(\w[\w ]*) Error: (.*)$/s.exec(message) ?? [];
  return {kind, answer: {error_message: withoutTrace(text)}};
}

/** Null when it is none, for which a text in braces may be taken. */
function readJson(text: string): JsonObject | null {
  try {
    const value = parseJson(text);
    return isObject(value) && typeof value['exception_message'] === 'string' ? value : null;
  } catch {
    return null;
  }
}

function codeOf(kind: string | null, message: string, mistake: ErrorCode): ErrorCode {
  if (kind === 'Parser') return 'syntax';
  if (/already exists!?$/.test(message)) return 'already_exists';
  if (mistake !== 'invalid_query') return mistake;
  return codeOfKind[classify(kind === null ? message : `${kind} Error: ${message}`)] ?? 'invalid_query';
}

const codeOfKind: Partial<Record<LakeErrorKind, ErrorCode>> = {
  data: 'data_error',
  conflict: 'source_changed',
  'retries-exhausted': 'source_changed',
  connection: 'unavailable',
  'no-room': 'unavailable',
  'out-of-memory': 'out_of_memory',
  interrupted: 'cancelled',
  fatal: 'internal',
};

/** The parser counts in characters, all else in bytes. */
function positionOf(kind: string | null, at: unknown, statement: string): Position | undefined {
  if (at === undefined) return undefined;
  if (kind !== 'Parser') return positionInStatement(bareQuery(statement), Number(at));
  return positionAt(statement, [...statement].slice(0, Number(at)).join('').length);
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}

function capital(message: string): string {
  return message.charAt(0).toUpperCase() + message.slice(1);
}
