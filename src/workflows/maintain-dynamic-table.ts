import {CancellationScope, executeChild, ParentClosePolicy} from '@temporalio/workflow';
import {WorkflowExecutionAlreadyStartedError} from '@temporalio/common';
import type {Site} from '../activities/activities.ts';
import {applyId} from '../temporal-names.ts';
import {applyMaintenance, type MaintenanceApplied} from './apply-maintenance.ts';
import {failOnce} from './fail-once.ts';
import {workflowTypes, type MaintainInput, type MaintainResult} from './messages.ts';
import {locate} from './proxies.ts';
import {readMaintainInput} from './read-input.ts';
import type {refreshDynamicTable} from './refresh-dynamic-table.ts';
import {startWaiting} from './waiting.ts';

/**
 * Makes few files of a table's many, under its refresh lock. A table that does not hold the rows which were left in it is rebuilt:
 * its next refresh finds the same, and says so.
 */
export async function maintainDynamicTable(input: MaintainInput): Promise<MaintainResult> {
  return failOnce(async () => {
    const request = readMaintainInput(input);
    const site = await locate(request);
    const table = site.table ?? request.table;
    const {before, after, damage} = await underLock(table, site);
    if (damage !== null) {
      const {refresh} = await executeChild<typeof refreshDynamicTable>(workflowTypes.refresh, {
        staticSummary: `rebuild ${table}: ${damage.found} rows where ${damage.expected} were left`.slice(0, 190),
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        args: [{table, full: true, trigger: 'manual'}],
      });
      return {table, outcome: 'rebuilt', before, after, reason: refresh?.reason ?? null};
    }
    return {table, outcome: isSame(before, after) ? 'nothing-to-do' : 'maintained', before, after, reason: null};
  });
}

async function underLock(table: string, site: Site): Promise<MaintenanceApplied> {
  const workflowId = applyId(site.prefix, table);
  const waiting = startWaiting();
  try {
    for (;;) {
      const applied = await apply(workflowId, table, site);
      if (applied === null) {
        await waiting.waitFor({workflowId, runId: null}, 0);
        continue;
      }
      waiting.hold(applied.waiters);
      return applied;
    }
  } finally {
    await CancellationScope.nonCancellable(waiting.release);
  }
}

/** Null while somebody else holds the lock. */
async function apply(workflowId: string, table: string, site: Site): Promise<MaintenanceApplied | null> {
  try {
    return await executeChild(applyMaintenance, {
      workflowId,
      staticSummary: `maintain ${table}`.slice(0, 190),
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      args: [{table, site}],
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
    throw error;
  }
}

function isSame(before: MaintainResult['before'], after: MaintainResult['after']): boolean {
  return before.data === after.data && before.deletes === after.deletes;
}
