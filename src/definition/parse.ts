import type {Position} from '../errors.ts';
import type {TableName} from '../table-name.ts';
import {readChanges, readOptions} from './options.ts';
import {positionAt} from './position.ts';
import type {AlterChange, Create, Statement} from './statement.ts';
import {tokenize} from './tokens.ts';
import {TokenReader} from './token-reader.ts';

/**
 * Reads one statement. What is not about a dynamic table is `sql`, as it stands.
 *
 *     parseStatement("create dynamic table totals target_lag = '5 minutes' as select …")
 */
export function parseStatement(text: string): Statement {
  const reader = new TokenReader(text);
  if (reader.takeWords('CREATE', 'OR', 'REPLACE', 'DYNAMIC', 'TABLE')) return create(reader, true);
  if (reader.takeWords('CREATE', 'DYNAMIC', 'TABLE')) return create(reader, false);
  if (reader.takeWords('ALTER', 'DYNAMIC', 'TABLE')) return alter(reader);
  if (reader.takeWords('DROP', 'DYNAMIC', 'TABLE')) return drop(reader);
  if (reader.takeWords('SHOW', 'DYNAMIC', 'TABLES')) return show(reader);
  if (reader.takeWords('DESCRIBE', 'DYNAMIC', 'TABLE') || reader.takeWords('DESC', 'DYNAMIC', 'TABLE'))
    return describe(reader);
  return {kind: 'sql', text};
}

/** The statements of a text with several, without their semicolons; each with the place in the text where it begins. */
export function splitStatements(text: string): readonly {readonly text: string; readonly start: Position}[] {
  const pieces: {text: string; start: Position}[] = [];
  let first: number | undefined;
  let end = 0;
  const close = () => {
    if (first !== undefined) pieces.push({text: text.slice(first, end), start: positionAt(text, first)});
    first = undefined;
  };
  for (const token of tokenize(text)) {
    if (token.kind === 'symbol' && token.value === ';') {
      close();
    } else {
      first ??= token.start;
      end = token.end;
    }
  }
  close();
  return pieces;
}

function create(reader: TokenReader, orReplace: boolean): Create {
  const at = reader.peek()?.start ?? 0;
  const ifNotExists = reader.takeWords('IF', 'NOT', 'EXISTS');
  if (ifNotExists && orReplace) throw reader.error('OR REPLACE and IF NOT EXISTS rule each other out', {at});
  const table = tableName(reader);
  const options = readOptions(reader);
  const query = reader.takeRest();
  if (query === null) throw reader.error('A query must follow AS');
  return {kind: 'create', table, ifNotExists, orReplace, options, query};
}

function alter(reader: TokenReader): Statement {
  const table = tableName(reader);
  const change = alterChange(reader, table);
  reader.expectEnd();
  return {kind: 'alter', table, change};
}

function alterChange(reader: TokenReader, table: TableName): AlterChange {
  if (reader.takeWords('REFRESH')) return {kind: 'refresh'};
  if (reader.takeWords('SUSPEND')) return {kind: 'suspend'};
  if (reader.takeWords('RESUME')) return {kind: 'resume'};
  if (reader.takeWords('RENAME', 'TO')) return {kind: 'rename', to: newName(reader, table)};
  if (reader.takeWords('SET')) return {kind: 'set', options: readChanges(reader)};
  throw reader.error(`${reader.found()} is no change that ALTER DYNAMIC TABLE knows`, {
    hint: 'It knows SET, RENAME TO, REFRESH, SUSPEND and RESUME.',
  });
}

function drop(reader: TokenReader): Statement {
  const ifExists = reader.takeWords('IF', 'EXISTS');
  const table = tableName(reader);
  reader.expectEnd();
  return {kind: 'drop', table, ifExists};
}

function show(reader: TokenReader): Statement {
  const like = reader.takeWords('LIKE') ? reader.expectText('a pattern in quotes') : null;
  reader.expectEnd();
  return {kind: 'show', like};
}

function describe(reader: TokenReader): Statement {
  const table = tableName(reader);
  reader.expectEnd();
  return {kind: 'describe', table};
}

/** A bare name is in the schema where the table is. */
function newName(reader: TokenReader, {schema}: TableName): TableName {
  const at = reader.peek()?.start ?? 0;
  const to = nameInSchema(reader, schema);
  if (to.schema !== schema) {
    throw reader.error(`A table is renamed within its schema, which is ${schema}`, {
      at,
      hint: 'In another schema, create it anew.',
    });
  }
  return to;
}

function tableName(reader: TokenReader): TableName {
  return nameInSchema(reader, 'main');
}

function nameInSchema(reader: TokenReader, standard: string): TableName {
  const first = reader.expectName('a table name');
  if (!reader.takeSymbol('.')) return {schema: standard, name: first};
  const name = reader.expectName('a table name');
  if (reader.takeSymbol('.')) {
    throw reader.error('A dynamic table is named by its schema and its name; it is always in the lake');
  }
  return {schema: first, name};
}
