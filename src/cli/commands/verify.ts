import type {Command} from 'commander';
import {answer, finish, type JsonOption} from '../command.ts';
import {withClient} from '../connect.ts';
import {differentExitCode} from '../exit-code.ts';
import {withProgress} from '../progress.ts';
import {showVerification} from '../show/verification.ts';

export function addVerify(program: Command): void {
  const command = program
    .command('verify')
    .description('compare a table with its query at its snapshot, both ways; exit status 3 when they differ')
    .argument('<table>', 'name or schema.name')
    .action(verify);
  finish(command, 'freshet verify totals');
}

async function verify(table: string, options: JsonOption): Promise<void> {
  const result = await withProgress(options.json === true, ({show}) =>
    withClient((client) => {
      show('Running its query again');
      return client.verify(table);
    }, show),
  );
  answer(result, options, showVerification);
  if (result.verdict === 'different') process.exitCode = differentExitCode;
}
