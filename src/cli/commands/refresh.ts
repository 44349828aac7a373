import type {Command} from 'commander';
import {attended, leftText, surroundings} from '../attended.ts';
import {answer, finish, type JsonOption} from '../command.ts';
import {withClient} from '../connect.ts';
import {exitCodes} from '../exit-code.ts';
import {withProgress} from '../progress.ts';
import {showRefresh} from '../show/refresh.ts';

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
  const task = {doing: 'Refreshing', task: `the refresh of ${table}`};
  const {handle, result} = await withProgress(isJson, (shown) =>
    withClient(async (client) => {
      const started = await client.refresh(table, {full: options.full === true});
      const isAwaited = options.wait;
      return {handle: started, result: isAwaited ? await attended(started, task, shown, surroundings(isJson)) : null};
    }, shown.show),
  );
  if (result !== null) return answer(result, options, showRefresh);
  const {workflowId, runId} = handle;
  if (options.wait) process.exitCode = exitCodes.cancelled;
  answer({table, workflowId, runId}, options, () =>
    options.wait ? leftText(task, workflowId) : `Started ${task.task} as workflow ${workflowId}.`,
  );
}
