import type {Handle} from '../client.ts';
import type {RefreshProgress} from '../workflows/messages.ts';
import type {Progress} from './progress.ts';
import {workText} from './show/progress.ts';
import {phaseName} from './show/refresh.ts';

/** Waits for a refresh, or for a statement with one, and shows its phases under the name of what is done. */
export async function finished<Result>(
  handle: Pick<Handle<Result>, 'phases' | 'result'>,
  show: Progress['show'],
  doing = 'Refreshing',
): Promise<Result> {
  const result = handle.result();
  // Its failure is told below, whoever hears of it first.
  result.catch(() => undefined);
  let furthest = -1;
  for await (const progress of handle.phases()) {
    // Two workflows are asked in turn, and their answers may cross; a refresh may also start over. A reader sees it go on.
    const place = order.indexOf(progress.phase);
    if (place < furthest || progress.phase === 'done') continue;
    furthest = place;
    show(`${doing}: ${phaseName(progress.phase)}`, workText(progress));
  }
  await result;
  show(`${doing}: ${phaseName('done')}`);
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
