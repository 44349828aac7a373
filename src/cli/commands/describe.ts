import type {Command} from 'commander';
import {answer, finish, type JsonOption} from '../command.ts';
import {withClient} from '../connect.ts';
import {showTable} from '../show/tables.ts';

/** How many of its last refreshes are shown. */
const shownRefreshes = 5;

export function addDescribe(program: Command): void {
  const command = program
    .command('describe')
    .description('show all about one dynamic table')
    .argument('<table>', 'name or schema.name')
    .action(describe);
  finish(command, 'freshet describe totals');
}

async function describe(table: string, options: JsonOption): Promise<void> {
  const result = await withClient(async (client) => ({
    ...(await client.describe(table)),
    history: await client.history(table, {limit: shownRefreshes}),
  }));
  answer(result, options, (details) => showTable(details, details.history, Date.now()));
}
