import type {Command} from 'commander';
import type {FreshetClient} from '../../client.ts';
import type {MaintainResult} from '../../workflows/messages.ts';
import {answer, finish, type JsonOption} from '../command.ts';
import {withClient} from '../connect.ts';
import {withProgress} from '../progress.ts';
import {showMaintenance} from '../show/maintenance.ts';

export function addMaintain(program: Command): void {
  const command = program
    .command('maintain')
    .description('make few files of the many that refreshes leave, and count the rows; of one table, or of all')
    .argument('[table]', 'name or schema.name')
    .action(maintain);
  finish(command, 'freshet maintain', 'freshet maintain totals');
}

async function maintain(table: string | undefined, options: JsonOption): Promise<void> {
  const tables = await withProgress(options.json === true, ({show}) =>
    withClient((client) => maintainAll(client, table, (name) => show(`Maintaining ${name}`)), show),
  );
  answer({tables}, options, showMaintenance);
}

/** One after another: each is work for the whole worker. */
async function maintainAll(
  client: FreshetClient,
  table: string | undefined,
  show: (name: string) => void,
): Promise<readonly MaintainResult[]> {
  const names = table === undefined ? (await client.list()).map((each) => each.table) : [table];
  const results: MaintainResult[] = [];
  for (const name of names) {
    show(name);
    results.push(await client.maintain(name));
  }
  return results;
}
