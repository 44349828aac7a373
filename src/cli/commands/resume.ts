import type {Command} from 'commander';
import {answer, finish, type JsonOption} from '../command.ts';
import {withClient} from '../connect.ts';
import {withProgress} from '../progress.ts';
import {showResume} from '../show/definition.ts';

export function addResume(program: Command): void {
  const command = program
    .command('resume')
    .description('have a suspended table refreshed by its schedule again, and those that read it')
    .argument('<table>', 'name or schema.name')
    .action(resume);
  finish(command, 'freshet resume totals');
}

async function resume(table: string, options: JsonOption): Promise<void> {
  const result = await withProgress(options.json === true, ({show}) =>
    withClient((client) => client.resume(table), show),
  );
  answer(result, options, showResume);
}
