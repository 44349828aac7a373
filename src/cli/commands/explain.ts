import type {Command} from 'commander';
import type {FreshetClient} from '../../client.ts';
import {readTableName} from '../../table-name.ts';
import type {Explanation} from '../../workflows/messages.ts';
import {answer, finish, type JsonOption} from '../command.ts';
import {withClient} from '../connect.ts';
import {withProgress} from '../progress.ts';
import {showExplanation} from '../show/definition.ts';
import {pointingInto} from '../statement-error.ts';
import {readStatement} from '../statement-input.ts';

type ExplainOptions = JsonOption & {readonly file?: string};

export function addExplain(program: Command): void {
  const command = program
    .command('explain')
    .description('show how a table, a statement or a query is refreshed: mode, reasons, relation, SQL')
    .argument(
      '[subject]',
      'name of a dynamic table, CREATE DYNAMIC TABLE … or SELECT …; "-" or nothing: from standard input',
    )
    .option('-f, --file <path>', 'read the statement from a file')
    .action(explain);
  finish(command, 'freshet explain totals', 'freshet explain "select region, max(amount) from orders group by region"');
}

async function explain(argument: string | undefined, options: ExplainOptions): Promise<void> {
  const subject = await readStatement(argument, options.file);
  const result = await withProgress(options.json === true, ({show}) =>
    withClient((client) => explanation(client, subject), show),
  );
  answer(result, options, showExplanation);
}

/** Positions in errors count from what was typed; those of a table, which was only named, from its stored query. */
export function explanation(client: Pick<FreshetClient, 'explain'>, subject: string): Promise<Explanation> {
  const explained = () => client.explain(subject);
  return readTableName(subject) === null ? pointingInto(subject, explained) : explained();
}
