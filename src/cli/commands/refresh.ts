import type {Command} from 'commander';
import type {RefreshHandle} from '../../client.ts';
import type {RefreshResult} from '../../refresh/messages.ts';
import {answer, finish, type JsonOption} from '../command.ts';
import {withClient} from '../connect.ts';
import {progress} from '../progress.ts';
import {phaseName, showRefresh} from '../show/refresh.ts';

type RefreshOptions = JsonOption & {readonly full?: true; readonly wait: boolean};

export function addRefresh(program: Command): void {
  const command = program
    .command('refresh')
    .description('refresh a dynamic table, and the dynamic tables it reads')
    .argument('<table>', 'name or schema.name')
    .option('--full', 'recompute it whatever changed')
    .option('--no-wait', 'only start it')
    .action(refresh);
  finish(command, 'freshet refresh totals', 'freshet refresh totals --full --no-wait');
}

async function refresh(table: string, options: RefreshOptions): Promise<void> {
  await withClient(async (client) => {
    const handle = await client.refresh(table, {full: options.full === true});
    if (!options.wait) return answer({table, workflowId: handle.workflowId, runId: handle.runId}, options, startedText);
    answer(await finished(handle, options.json === true), options, showRefresh);
  });
}

/** Waits for a refresh and shows its phases. */
export async function finished(handle: RefreshHandle, isSilent: boolean): Promise<RefreshResult> {
  const shown = progress(isSilent);
  try {
    for await (const {phase} of handle.phases()) shown.show(`Refreshing: ${phaseName(phase)}`);
    return await handle.result();
  } finally {
    shown.end();
  }
}

function startedText({table, workflowId}: {readonly table: string; readonly workflowId: string}): string {
  return `Started the refresh of ${table} as workflow ${workflowId}.`;
}
