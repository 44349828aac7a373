import type {Command} from 'commander';
import {answer, finish, readCount, type JsonOption} from '../command.ts';
import {withReader} from '../connect.ts';
import {showHistory} from '../show/history.ts';

type HistoryOptions = JsonOption & {readonly limit: number};

export function addHistory(program: Command): void {
  const command = program
    .command('history')
    .description('show past refreshes, the newest first; --json adds every SQL statement and its time')
    .argument('[table]', 'name or schema.name; all tables without it')
    .option('-n, --limit <count>', 'how many', readCount, 20)
    .action(history);
  finish(command, 'freshet history totals --limit 5', 'freshet history --json');
}

async function history(table: string | undefined, options: HistoryOptions): Promise<void> {
  const refreshes = await withReader((client) => client.history(table, {limit: options.limit}));
  answer({refreshes}, options, (result) => showHistory(result.refreshes, Date.now()));
}
