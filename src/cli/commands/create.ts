import type {Command} from 'commander';
import {attendedToEnd, creation} from '../attended.ts';
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
  const isJson = options.json === true;
  const result = await withProgress(isJson, (shown) =>
    withClient(
      (client) =>
        pointingInto(statement, async () => {
          shown.show(options.dryRun === true ? 'Checking the statement' : creation.doing);
          if (options.dryRun === true) return client.create(statement, {dryRun: true});
          return attendedToEnd(await client.startCreate(statement), creation, shown, isJson);
        }),
      shown.show,
    ),
  );
  answer(result, options, showCreate);
}
