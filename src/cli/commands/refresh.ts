import type {Command} from 'commander';
import type {RefreshHandle} from '../../client.ts';
import type {RefreshResult} from '../../refresh/messages.ts';
import type {RefreshProgress} from '../../workflows/messages.ts';
import {answer, finish, type JsonOption} from '../command.ts';
import {withClient} from '../connect.ts';
import {withProgress, type Progress} from '../progress.ts';
import {workText} from '../show/progress.ts';
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
  const result = await withProgress(options.json === true, ({show}) =>
    withClient(async (client) => {
      const handle = await client.refresh(table, {full: options.full === true});
      return options.wait ? await finished(handle, show) : handle;
    }, show),
  );
  if ('outcome' in result) return answer(result, options, showRefresh);
  answer({table, workflowId: result.workflowId, runId: result.runId}, options, startedText);
}

/** Waits for a refresh and shows its phases. */
export async function finished(
  handle: Pick<RefreshHandle, 'phases' | 'result'>,
  show: Progress['show'],
): Promise<RefreshResult> {
  const result = handle.result();
  // Its failure is told below, whoever hears of it first.
  result.catch(() => undefined);
  let furthest = -1;
  for await (const progress of handle.phases()) {
    // Two workflows are asked in turn, and their answers may cross; a refresh may also start over. A reader sees it go on.
    const place = order.indexOf(progress.phase);
    if (place < furthest || progress.phase === 'done') continue;
    furthest = place;
    show(`Refreshing: ${phaseName(progress.phase)}`, workText(progress));
  }
  await result;
  show(`Refreshing: ${phaseName('done')}`);
  return result;
}

/** In the order in which a refresh goes through them. */
const order: readonly RefreshProgress['phase'][] = [
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
