import type {Command} from 'commander';
import {FreshetError} from '../../errors.ts';
import {finish, type JsonOption} from '../command.ts';
import {withClient} from '../connect.ts';
import {exitCodes} from '../exit-code.ts';
import {checkInLake} from '../lake-validation.ts';
import {withProgress} from '../progress.ts';
import {showValidation, validationJson} from '../show/validation.ts';
import {readFiles} from '../statement-input.ts';
import {checkFiles, type Checked} from '../validation.ts';

type ValidateOptions = JsonOption & {readonly offline?: true};

export function addValidate(program: Command): void {
  const command = program
    .command('validate')
    .description('check files of statements and run none: what each reads, their order, and all mistakes')
    .argument('<files...>', 'files with statements, or folders with .sql files; "-": standard input')
    .option('--offline', 'leave out what only the lake knows: tables, columns, types, whether it is incremental')
    .action(validate);
  finish(command, 'freshet validate tables', 'freshet validate --offline tables/*.sql');
}

/** What `FRESHET_LAKE_NAME` is when nobody says otherwise. */
const usualLakeName = 'lake';

async function validate(files: readonly string[], options: ValidateOptions): Promise<void> {
  const isJson = options.json === true;
  const checked = await withProgress(isJson, async ({show}) => {
    const offline = await checkOffline(files);
    if (options.offline === true) return offline;
    return withClient((client) => checkInLake(client, offline, ({file}) => show(`Checking ${file}`)), show).catch(
      orOffline,
    );
  });
  const [first] = checked.flatMap(({error}) => error ?? []);
  if (first !== undefined) process.exitCode = exitCodes[first.code];
  process.stdout.write(`${isJson ? validationJson(checked) : showValidation(checked)}\n`);
}

function orOffline(error: unknown): never {
  if (!(error instanceof FreshetError) || error.code !== 'unavailable') throw error;
  const hint = [error.hint, 'What no lake is needed for is checked by: freshet validate --offline'];
  throw new FreshetError('unavailable', error.message, {hint: hint.filter(Boolean).join('\n'), cause: error});
}

async function checkOffline(files: readonly string[]): Promise<readonly Checked[]> {
  const texts = await readFiles(files);
  // With DuckDB in it, which is heavy.
  const {openQueryReader} = await import('../offline-query.ts');
  const reader = await openQueryReader(process.env['FRESHET_LAKE_NAME'] ?? usualLakeName);
  try {
    return await checkFiles(texts, reader);
  } finally {
    reader.close();
  }
}
