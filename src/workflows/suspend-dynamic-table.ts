import {workflowInfo} from '@temporalio/workflow';
import {failOnce} from './fail-once.ts';
import type {SuspendInput, SuspendResult} from './messages.ts';
import {light} from './proxies.ts';
import {readSuspendInput} from './read-input.ts';

/** Has a table stand still until it is resumed, and with it those that read it. */
export async function suspendDynamicTable(input: SuspendInput): Promise<SuspendResult> {
  return failOnce(async () => {
    const {table} = readSuspendInput(input);
    const {runId} = workflowInfo();
    return await light.suspendTable.executeWithOptions({summary: `suspend ${table}`}, [{table, runId}]);
  });
}
