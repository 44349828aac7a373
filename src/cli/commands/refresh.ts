import type {Command} from 'commander';
import type {RefreshHandle} from '../../client.ts';
import type {RefreshResult} from '../../refresh/messages.ts';
import type {RefreshProgress} from '../../workflows/messages.ts';
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
export async function finished(
  handle: Pick<RefreshHandle, 'phases' | 'result'>,
  isSilent: boolean,
): Promise<RefreshResult> {
  const shown = progress(isSilent);
  const show = (phase: Phase) => shown.show(`Refreshing: ${phaseName(phase)}`);
  let furthest = -1;
  try {
    for await (const {phase} of handle.phases()) {
      // Two workflows are asked in turn, and their answers may cross; a refresh may also start over. A reader sees it go on.
      const place = order.indexOf(phase);
      if (place <= furthest || phase === 'done') continue;
      furthest = place;
      show(phase);
    }
    const result = await handle.result();
    show('done');
    return result;
  } finally {
    shown.end();
  }
}

type Phase = RefreshProgress['phase'];

/** In the order in which a refresh goes through them. */
const order: readonly Phase[] = [
  'choose',
  'upstreams',
  'wait',
  'apply',
  'look-up',
  'extract',
  'check',
  'publish',
  'record',
  'done',
];

function startedText({table, workflowId}: {readonly table: string; readonly workflowId: string}): string {
  return `Started the refresh of ${table} as workflow ${workflowId}.`;
}
