import type {Command} from 'commander';
import {answer, finish, type JsonOption} from '../command.ts';
import {withClient} from '../connect.ts';
import {withProgress} from '../progress.ts';
import {showSuspend} from '../show/definition.ts';

export function addSuspend(program: Command): void {
  const command = program
    .command('suspend')
    .description('stop the scheduled refreshes of a table, and of those that read it')
    .argument('<table>', 'name or schema.name')
    .action(suspend);
  finish(command, 'freshet suspend totals');
}

async function suspend(table: string, options: JsonOption): Promise<void> {
  const result = await withProgress(options.json === true, ({show}) =>
    withClient((client) => client.suspend(table), show),
  );
  answer(result, options, showSuspend);
}
