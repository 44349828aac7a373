import type {Command} from 'commander';
import type {DynamicTable, DynamicTableDetails, FreshetClient} from '../../client.ts';
import {parseStatement, splitStatements} from '../../definition/parse.ts';
import {FreshetError} from '../../errors.ts';
import type {AlterChange, Statement} from '../../definition/statement.ts';
import {tableNameText} from '../../table-name.ts';
import type {AlterResult, CreateResult, DropResult, ResumeResult, SuspendResult} from '../../workflows/messages.ts';
import type {RefreshResult} from '../../refresh/messages.ts';
import {finish, type JsonOption} from '../command.ts';
import {withFreshet, type Freshet} from '../connect.ts';
import type {PlainResult} from '../plain-sql.ts';
import {showAlter, showCreate, showDrop, showResume, showSuspend} from '../show/definition.ts';
import {showRefresh} from '../show/refresh.ts';
import {showRows} from '../show/rows.ts';
import {showTable, showTables} from '../show/tables.ts';
import {pointingInto} from '../statement-error.ts';
import {atItsPlace, readStatement} from '../statement-input.ts';
import {withProgress, type Progress} from '../progress.ts';
import {finished} from '../finished.ts';

type SqlOptions = JsonOption & {readonly file?: string};

/** What one statement did: plain SQL's answer, or that of one of our statements. */
type Result =
  | PlainResult
  | {readonly kind: 'create'; readonly result: CreateResult}
  | {readonly kind: 'refresh'; readonly result: RefreshResult}
  | {readonly kind: 'drop'; readonly result: DropResult}
  | {readonly kind: 'alter'; readonly result: AlterResult}
  | {readonly kind: 'suspend'; readonly result: SuspendResult}
  | {readonly kind: 'resume'; readonly result: ResumeResult}
  | {readonly kind: 'show'; readonly result: readonly DynamicTable[]}
  | {readonly kind: 'describe'; readonly result: DynamicTableDetails};

/** More rows are no help to a reader; JSON has them all. */
const shownRows = 100;

export function addSql(program: Command): void {
  const command = program
    .command('sql')
    .description('run statements on the lake: DuckDB SQL, and CREATE, ALTER, DROP, SHOW and DESCRIBE of dynamic tables')
    .argument('[statements]', 'one, or several with semicolons; "-" or nothing: from standard input')
    .option('-f, --file <path>', 'read the statements from a file')
    .action(sql);
  finish(
    command,
    'freshet sql "from orders limit 5"',
    'freshet sql --file setup.sql',
    'echo "from orders" | freshet sql --json',
  );
}

async function sql(argument: string | undefined, options: SqlOptions): Promise<void> {
  const text = await readStatement(argument, options.file);
  const isJson = options.json === true;
  const results: Result[] = [];
  try {
    await withProgress(isJson, (shown) =>
      withFreshet(
        (freshet) =>
          runStatements(freshet, text, isJson, shown, (result) => {
            if (isJson) results.push(result);
            else process.stdout.write(`${showResult(result)}\n`);
          }),
        shown.show,
      ),
    );
  } finally {
    // Also after an error: the statements before it have been run.
    if (isJson) process.stdout.write(`${json(results)}\n`);
  }
}

/** Runs one statement after the other, and hands on what each has done. */
export async function runStatements(
  freshet: Freshet,
  text: string,
  isJson: boolean,
  shown: Progress,
  answer: (result: Result) => void,
): Promise<void> {
  await pointingInto(text, async () => {
    for (const statement of splitStatements(text)) {
      const result = await run(freshet, atItsPlace(statement), isJson, shown);
      shown.end();
      answer(result);
    }
  });
}

/** A text has at most half a billion characters. */
function json(results: readonly Result[]): string {
  try {
    return JSON.stringify({results}, null, 2);
  } catch (error) {
    throw new FreshetError('internal', 'The rows are too many for one JSON document.', {
      hint: 'Ask for fewer, or write them into a file by COPY … TO.',
      cause: error,
    });
  }
}

async function run(freshet: Freshet, text: string, isJson: boolean, shown: Progress): Promise<Result> {
  const statement = parseStatement(text);
  if (statement.kind === 'sql') {
    const plain = await freshet.plainSql();
    return plain.run(text, isJson ? 'json' : 'text', isJson ? Infinity : shownRows);
  }
  return runOurs(freshet, statement, text, shown);
}

async function runOurs(
  freshet: Freshet,
  statement: Exclude<Statement, {kind: 'sql'}>,
  text: string,
  shown: Progress,
): Promise<Result> {
  const client = await freshet.client();
  switch (statement.kind) {
    case 'create':
      return {kind: 'create', result: await client.create(text)};
    case 'alter':
      return alter(client, text, tableNameText(statement.table), statement.change, shown);
    case 'drop':
      return {kind: 'drop', result: await client.drop(tableNameText(statement.table), {ifExists: statement.ifExists})};
    case 'show':
      return {kind: 'show', result: await client.list({like: statement.like ?? undefined})};
    case 'describe':
      return {kind: 'describe', result: await client.describe(tableNameText(statement.table))};
  }
}

async function alter(
  client: FreshetClient,
  text: string,
  table: string,
  change: AlterChange,
  {show}: Progress,
): Promise<Result> {
  switch (change.kind) {
    case 'refresh':
      return {kind: 'refresh', result: await finished(await client.refresh(table), show)};
    case 'set':
    case 'rename':
      return {kind: 'alter', result: await client.alter(text)};
    case 'suspend':
      return {kind: 'suspend', result: await client.suspend(table)};
    case 'resume':
      return {kind: 'resume', result: await client.resume(table)};
  }
}

/** For people. */
export function showResult(result: Result): string {
  switch (result.kind) {
    case 'create':
      return showCreate(result.result);
    case 'refresh':
      return showRefresh(result.result);
    case 'drop':
      return showDrop(result.result);
    case 'alter':
      return showAlter(result.result);
    case 'suspend':
      return showSuspend(result.result);
    case 'resume':
      return showResume(result.result);
    case 'show':
      return result.result.length === 0 ? 'No dynamic tables.' : showTables(result.result);
    case 'describe':
      return showTable(result.result, [], Date.now());
    default:
      return showRows(result);
  }
}
