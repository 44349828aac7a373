import type {Command} from 'commander';
import {answer, finish, type JsonOption} from '../command.ts';
import {withClient} from '../connect.ts';
import {withProgress} from '../progress.ts';
import {showDrop} from '../show/definition.ts';

type DropOptions = JsonOption & {readonly ifExists?: true};

export function addDrop(program: Command): void {
  const command = program
    .command('drop')
    .description('drop a dynamic table: its rows, its schedule and all but its history')
    .argument('<table>', 'name or schema.name')
    .option('--if-exists', 'be content when there is none')
    .action(drop);
  finish(command, 'freshet drop totals');
}

async function drop(table: string, options: DropOptions): Promise<void> {
  const result = await withProgress(options.json === true, ({show}) =>
    withClient((client) => client.drop(table, {ifExists: options.ifExists === true}), show),
  );
  answer(result, options, showDrop);
}
