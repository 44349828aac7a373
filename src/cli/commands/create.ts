import type {Command} from 'commander';
import {answer, finish, type JsonOption} from '../command.ts';
import {withClient} from '../connect.ts';
import {withProgress} from '../progress.ts';
import {showCreate} from '../show/definition.ts';
import {pointingInto} from '../statement-error.ts';
import {readStatement} from '../statement-input.ts';

type CreateOptions = JsonOption & {readonly file?: string; readonly dryRun?: true};

export function addCreate(program: Command): void {
  const command = program
    .command('create')
    .description('create a dynamic table')
    .argument('[statement]', 'CREATE DYNAMIC TABLE …; "-" or nothing: from standard input')
    .option('-f, --file <path>', 'read the statement from a file')
    .option('--dry-run', 'only check it, and say how it would be refreshed')
    .action(create);
  finish(
    command,
    `freshet create "create dynamic table totals target_lag = '1 minute' as select region, sum(amount) as total from orders group by region"`,
    'freshet create --dry-run --file totals.sql',
  );
}

async function create(argument: string | undefined, options: CreateOptions): Promise<void> {
  const statement = await readStatement(argument, options.file);
  const result = await withProgress(options.json === true, ({show}) =>
    withClient((client) => {
      show(options.dryRun === true ? 'Checking the statement' : 'Creating the table');
      return pointingInto(statement, () => client.create(statement, {dryRun: options.dryRun === true}));
    }, show),
  );
  answer(result, options, showCreate);
}
