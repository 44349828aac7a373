import type {Command} from 'commander';
import {answer, finish, type JsonOption} from '../command.ts';
import {withReader} from '../connect.ts';
import {showTables} from '../show/tables.ts';

export function addList(program: Command): void {
  finish(program.command('list').description('list the dynamic tables').action(list), 'freshet list');
}

async function list(options: JsonOption): Promise<void> {
  const tables = await withReader(
    (client) => client.list(),
    (why) => process.stderr.write(`${why}\n`),
  );
  answer({tables}, options, (result) => showTables(result.tables));
}
