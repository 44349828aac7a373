import type {Client} from '@temporalio/client';
import {applyId, scheduleId} from '../temporal-names.ts';
import {workflowTypes} from '../workflows/messages.ts';
import type {DynamicTable} from './answers.ts';
import {progressOfApply, type Progress} from './progress.ts';

/** A dynamic table, and what happens to it now. */
export type TableNow = DynamicTable & {
  /** The refresh that is at work on it; null while none is. */
  readonly running: Progress | null;
  /** When its schedule starts the next refresh, ISO 8601; null while it is paused, or Temporal has none. */
  readonly nextRun: string | null;
};

/** Two questions to Temporal for all tables, and one more for each that is being refreshed. */
export async function tablesNow(
  temporal: Client,
  prefix: string,
  tables: readonly DynamicTable[],
): Promise<readonly TableNow[]> {
  const [nextRuns, open] = await Promise.all([nextRunsOf(temporal), openApplies(temporal)]);
  return Promise.all(
    tables.map(async (each) => {
      const workflowId = applyId(prefix, each.table);
      return {
        ...each,
        running: open.has(workflowId) ? await progressOfApply(temporal, workflowId) : null,
        nextRun: nextRuns.get(scheduleId(prefix, each.table)) ?? null,
      };
    }),
  );
}

/** By the schedule's id; the list is a little behind, and may have times that are past. */
async function nextRunsOf(temporal: Client): Promise<ReadonlyMap<string, string>> {
  const times = new Map<string, string>();
  for await (const {scheduleId: id, state, info} of temporal.schedule.list()) {
    const next = info?.nextActionTimes.find((time) => time.getTime() > Date.now());
    if (state?.paused !== true && next !== undefined) times.set(id, next.toISOString());
  }
  return times;
}

async function openApplies(temporal: Client): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  const query = `WorkflowType = '${workflowTypes.apply}' AND ExecutionStatus = 'Running'`;
  for await (const {workflowId} of temporal.workflow.list({query})) ids.add(workflowId);
  return ids;
}
