import type {Command} from 'commander';
import {nameText} from '../../client/answers.ts';
import {literal} from '../../sql.ts';
import {answer, finish, type JsonOption} from '../command.ts';
import {withClient} from '../connect.ts';
import {withProgress} from '../progress.ts';
import {showAlter} from '../show/definition.ts';
import {pointingInto} from '../statement-error.ts';
import {UsageError} from '../usage.ts';

type Changes = {
  readonly renameTo?: string;
  readonly targetLag?: string;
  readonly refreshMode?: string;
  readonly cardinalityThreshold?: string;
  readonly priority?: string;
  readonly comment?: string;
};

export function addAlter(program: Command): void {
  const command = program
    .command('alter')
    .description('change the options of a dynamic table, or its name')
    .argument('<table>', 'name or schema.name')
    .option('--target-lag <lag>', 'how stale it may be: "5 minutes", or DOWNSTREAM')
    .option('--refresh-mode <mode>', 'AUTO, INCREMENTAL or FULL')
    .option('--cardinality-threshold <share>', 'share of the rows from which on it is recomputed, 0 to 1')
    .option('--priority <number>', 'whose refreshes go first while workers are short: 1 before 5')
    .option('--comment <text>', 'a text for people; "" for none')
    .option('--rename-to <name>', 'another name; for itself alone')
    .action(alter);
  finish(
    command,
    'freshet alter totals --target-lag "1 minute" --comment "for the dashboard"',
    'freshet alter totals --rename-to sums',
  );
}

async function alter(table: string, options: Changes & JsonOption): Promise<void> {
  const statement = `ALTER DYNAMIC TABLE ${nameText(table)} ${change(options)}`;
  const result = await withProgress(options.json === true, ({show}) =>
    withClient((client) => pointingInto(statement, () => client.alter(statement)), show),
  );
  answer(result, options, showAlter);
}

function change({renameTo, targetLag, refreshMode, cardinalityThreshold, priority, comment}: Changes): string {
  const given = {
    TARGET_LAG: targetLag,
    REFRESH_MODE: refreshMode,
    CARDINALITY_THRESHOLD: cardinalityThreshold,
    PRIORITY: priority,
    COMMENT: comment,
  };
  const settings = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} = ${literal(value).text}`],
  );
  if (renameTo !== undefined && settings.length > 0)
    throw new UsageError('Rename it or change its options, one after the other.');
  if (renameTo !== undefined) return `RENAME TO ${renameTo}`;
  if (settings.length === 0)
    throw new UsageError('Nothing to change: say what is to be another, such as --target-lag.');
  return `SET ${settings.join(', ')}`;
}
