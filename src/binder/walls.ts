import {didYouMean} from '../definition/nearest.ts';
import {splitStatements} from '../definition/parse.ts';
import {positionAt, positionInStatement} from '../definition/position.ts';
import type {Query} from '../definition/statement.ts';
import {FreshetError, type Position} from '../errors.ts';
import type {Session} from '../lake/session.ts';
import {literal, sql} from '../sql.ts';
import {isObject, objectsOf, parseJson, textOf, type JsonObject} from './json.ts';
import {mentionsOf, type Mention} from './mentions.ts';

/**
 * The first wall before DuckDB's binder, which opens files by itself (`read_csv`, and any table name it does not know): a query
 * is parsed, and its tree may name only tables and functions that are known to be harmless. The second wall stands in the
 * instance, which has no external access. Views and macros of the lake go through the same wall before they are copied.
 */

/** Where a text comes from, for messages. */
export type Origin = {
  /** Null: what the user wrote; else the view or macro whose text it is. */
  readonly within: string | null;
  readonly position: (location: number | null) => Position | undefined;
};

export function userOrigin(query: Query): Origin {
  return {within: null, position: (location) => (location === null ? undefined : positionInStatement(query, location))};
}

/** What is the lake's own: its public name, which paths are macros of it, and the names of its table macros. */
export type OwnNames = {
  readonly lake: string;
  readonly isMacro: (path: readonly string[]) => boolean;
  readonly tableMacros: readonly string[];
};

/** Parses a query that is exactly one SELECT and gives all that it names; throws what is refused. */
export async function checkQuery(
  session: Pick<Session, 'rows'>,
  query: Query,
  names: OwnNames,
): Promise<readonly Mention[]> {
  const tree = await parseTree(session, query.text, (characters) => characterPosition(query, characters));
  return checkMentions(mentionsOf(tree), userOrigin(query), names);
}

/** The same for the text of a view or macro, which the lake holds already and DuckDB has parsed once. */
export async function checkText(
  session: Session,
  text: string,
  origin: Origin,
  names: OwnNames,
): Promise<readonly Mention[]> {
  const tree = await parseTree(session, text, () => origin.position(null));
  return checkMentions(mentionsOf(tree), origin, names);
}

type CharacterPosition = (characters: number) => Position | undefined;

async function parseTree(
  session: Pick<Session, 'rows'>,
  text: string,
  position: CharacterPosition,
): Promise<JsonObject> {
  const [row] = await session.rows<{tree: string}>(sql`SELECT json_serialize_sql(${literal(text)}) AS tree`);
  const answer = parseJson(row?.tree ?? 'null');
  if (!isObject(answer)) throw new Error('json_serialize_sql gave no object');
  if (answer['error'] === true) throw parseError(answer, text, position);
  const [only, ...others] = objectsOf(answer['statements']);
  if (only === undefined || others.length > 0) throw notOneSelect(text, position);
  return only;
}

function parseError(answer: JsonObject, text: string, position: CharacterPosition): FreshetError {
  const message = textOf(answer['error_message']);
  if (answer['error_type'] === 'not implemented') return notOneSelect(text, position);
  const at = answer['position'];
  // Unlike the binder, the parser counts in characters.
  return new FreshetError('syntax', capital(message), {position: at === undefined ? undefined : position(Number(at))});
}

/** Points at the second statement, or at the one that is no SELECT. */
function notOneSelect(text: string, position: CharacterPosition): FreshetError {
  const statements = splitStatements(text);
  const odd = statements[1] ?? statements[0];
  const word = /^\w+/.exec(odd?.text ?? '')?.[0].toUpperCase();
  const found = statements.length > 1 ? `, not ${statements.length} statements` : word ? `, not ${word}` : '';
  return new FreshetError('forbidden_query', `The query of a dynamic table is exactly one SELECT${found}`, {
    position: odd === undefined ? undefined : position(charactersBefore(text, odd.start)),
    hint: word === 'PIVOT' ? 'A PIVOT must list its values: PIVOT … ON column IN (…).' : undefined,
  });
}

function charactersBefore(text: string, {line, column}: Position): number {
  const before = text.split('\n').slice(0, line - 1);
  return before.reduce((count, each) => count + [...each].length + 1, column - 1);
}

function checkMentions(mentions: readonly Mention[], origin: Origin, names: OwnNames): readonly Mention[] {
  for (const mention of mentions) {
    const what = forbidden(mention, names);
    if (what === null) continue;
    throw new FreshetError(
      'forbidden_query',
      `${origin.within ?? 'The query'} uses ${what}, which a dynamic table may not`,
      {
        position: origin.position(mention.location),
        hint: mention.kind === 'function' && mention.isTable ? tableFunctionHint(mention, names) : undefined,
      },
    );
  }
  return mentions;
}

function forbidden(mention: Mention, names: OwnNames): string | null {
  switch (mention.kind) {
    case 'refused':
      return mention.what;
    case 'table':
      return forbiddenTable(mention.path, names.lake);
    case 'function':
      return forbiddenFunction(mention, names);
    case 'sample':
      return null;
  }
}

/** Catalogs and schemas that are DuckDB's or ours. */
const foreignNames = /^(system|temp|memory|freshet_lake|freshet_state|information_schema|pg_catalog|__ducklake_.*)$/i;

const fileNames = /[/\\:*?]|\.(csv|tsv|json|jsonl|ndjson|parquet|db|duckdb|xlsx|txt|gz|zst|avro|arrow)$/i;

function forbiddenTable(path: readonly string[], lake: string): string | null {
  const [first = '', second = ''] = path;
  const isForeign =
    (path.length === 3 && (first.toLowerCase() !== lake.toLowerCase() || foreignNames.test(second))) ||
    (path.length === 2 && foreignNames.test(first));
  if (isForeign) return `"${path.join('.')}"`;
  const name = path.at(-1) ?? '';
  return fileNames.test(name) ? `the file "${name}"` : null;
}

/** Table functions that read nothing but their arguments. */
const harmlessTableFunctions = new Set(`range generate_series unnest json_each json_tree repeat repeat_row`.split(' '));

/** Functions and macros of DuckDB's own that look beyond the query or act: settings, catalogs, secrets, SQL made of text. */
const forbiddenFunctions = new Set(
  `arrow_scan arrow_scan_dumb check_peg_parser checkpoint col_description current_setting disable_logging
  disable_peg_parser disable_profiling enable_logging enable_peg_parser enable_profiling force_checkpoint format_type get_block_size
  getenv getvariable glob histogram_values icu_calendar_names json_deserialize_sql json_execute_serialized_sql
  json_serialize_plan json_serialize_sql obj_description query query_table seq_scan setseed shobj_description sleep_ms
  sniff_csv sql_auto_complete summary test_all_types test_vector_types truncate_duckdb_logs which_secret write_log`.split(
    /\s+/,
  ),
);

const forbiddenPrefixes =
  /^(delta_|duckdb_|ducklake_|has_\w+_privilege$|http_|iceberg_|mysql_|parquet_|pg_(?!typeof$|size_pretty$)|postgres_|pragma_|read_|sqlite_|st_read)/;

function forbiddenFunction({path, isTable}: Mention & {kind: 'function'}, {isMacro}: OwnNames): string | null {
  const name = (path.at(-1) ?? '').toLowerCase();
  const isForbidden =
    forbiddenFunctions.has(name) ||
    forbiddenPrefixes.test(name) ||
    (isTable && !harmlessTableFunctions.has(name) && !isMacro(path));
  return isForbidden ? `${name}()` : null;
}

function tableFunctionHint({path}: Mention & {kind: 'function'}, {tableMacros}: OwnNames): string {
  const known = [...harmlessTableFunctions, ...tableMacros];
  const allowed = `Table functions that it may call are ${[...harmlessTableFunctions].join(', ')}, and table macros of the lake.`;
  return didYouMean(path.at(-1) ?? '', known) ?? allowed;
}

function characterPosition({text, statement, offset}: Query, characters: number): Position {
  const before = [...text].slice(0, characters).join('');
  return positionAt(statement, offset + before.length);
}

function capital(message: string): string {
  return message.charAt(0).toUpperCase() + message.slice(1);
}
