import type {Command} from 'commander';
import {attended} from '../attended.ts';
import {answer, finish, type JsonOption} from '../command.ts';
import {withClient} from '../connect.ts';
import {exitCodes} from '../exit-code.ts';
import {withProgress} from '../progress.ts';
import {showRefresh} from '../show/refresh.ts';
import {shellWord} from '../text.ts';

type RefreshOptions = JsonOption & {readonly full?: true; readonly wait: boolean};

export function addRefresh(program: Command): void {
  const command = program
    .command('refresh')
    .description('refresh a dynamic table, and the dynamic tables it reads; Ctrl-C asks whether to cancel it')
    .argument('<table>', 'name or schema.name')
    .option('--full', 'recompute it whatever changed')
    .option('--no-wait', 'only start it')
    .action(refresh);
  finish(command, 'freshet refresh totals', 'freshet refresh totals --full --no-wait');
}

async function refresh(table: string, options: RefreshOptions): Promise<void> {
  const isJson = options.json === true;
  const {handle, result} = await withProgress(isJson, (shown) =>
    withClient(async (client) => {
      const started = await client.refresh(table, {full: options.full === true});
      return {handle: started, result: options.wait ? await attended(started, shown, surroundings(isJson)) : null};
    }, shown.show),
  );
  if (result !== null) return answer(result, options, showRefresh);
  const {workflowId, runId} = handle;
  if (options.wait) process.exitCode = exitCodes.cancelled;
  answer({table, workflowId, runId}, options, options.wait ? leftText : startedText);
}

/** Programs are not asked: neither those that read JSON, nor those at the end of a pipe. */
function surroundings(isJson: boolean): Parameters<typeof attended>[2] {
  const isPerson = !isJson && process.stdin.isTTY && process.stderr.isTTY;
  return {signals: process, input: process.stdin, output: process.stderr, isPerson};
}

type Left = {readonly table: string; readonly workflowId: string};

function startedText({table, workflowId}: Left): string {
  return `Started the refresh of ${table} as workflow ${workflowId}.`;
}

function leftText({table, workflowId}: Left): string {
  return `The refresh of ${table} goes on. It is ended by: temporal workflow cancel --workflow-id ${shellWord(workflowId)}`;
}
