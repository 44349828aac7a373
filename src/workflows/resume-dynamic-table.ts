import {workflowInfo} from '@temporalio/workflow';
import {failOnce} from './fail-once.ts';
import type {ResumeInput, ResumeResult} from './messages.ts';
import {light} from './proxies.ts';
import {readResumeInput} from './read-input.ts';

/** Has a table that was suspended refreshed by its schedule again. */
export async function resumeDynamicTable(input: ResumeInput): Promise<ResumeResult> {
  return failOnce(async () => {
    const {table} = readResumeInput(input);
    const {taskQueue} = workflowInfo();
    return await light.resumeTable.executeWithOptions({summary: `resume ${table}`}, [{table, taskQueue}]);
  });
}
