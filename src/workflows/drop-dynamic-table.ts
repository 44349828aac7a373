import {CancellationScope} from '@temporalio/workflow';
import {applyId} from '../temporal-names.ts';
import {failOnce} from './fail-once.ts';
import type {DropInput, DropResult} from './messages.ts';
import {compute, light, locate} from './proxies.ts';
import {readDropInput} from './read-input.ts';
import {startWaiting} from './waiting.ts';

/** Takes a dynamic table away. Once begun it goes on to its end: what a terminated run has left, the next one takes away. */
export async function dropDynamicTable(input: DropInput): Promise<DropResult> {
  return failOnce(async () => {
    const request = readDropInput(input);
    const site = await locate({table: null});
    const {table} = request;
    const found = await light.beginDrop.executeWithOptions({summary: `nobody reads ${table}?`}, [request]);
    if (found === null) return {table, outcome: 'absent'};
    if (found.running !== null) await untilEnded(applyId(site.prefix, found.table), found.running);
    const {table: name, incarnation} = found;
    await compute(site).removeTable.executeWithOptions({summary: `remove ${name}`}, [{table: name, incarnation}]);
    return {table: name, outcome: 'dropped'};
  });
}

/** A statement needs some seconds to learn that it was cancelled. One that does not is met by the table's absence. */
async function untilEnded(workflowId: string, runId: string): Promise<void> {
  const waiting = startWaiting();
  try {
    await waiting.waitFor({workflowId, runId}, 0);
  } finally {
    await CancellationScope.nonCancellable(waiting.release);
  }
}
