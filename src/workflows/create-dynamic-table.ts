import {CancellationScope, executeChild, ParentClosePolicy, TemporalFailure, workflowInfo} from '@temporalio/workflow';
import type {CreatePlan, ReplaceInput, Site, TableIncarnation} from '../activities/activities.ts';
import {contentsKept, FreshetError} from '../errors.ts';
import {errorOfFailure} from '../failure.ts';
import type {RefreshResult} from '../refresh/messages.ts';
import {failOnce} from './fail-once.ts';
import type {CreateInput, CreateResult} from './messages.ts';
import {compute, light, locate} from './proxies.ts';
import {readCreateInput} from './read-input.ts';
import {refreshDynamicTable} from './refresh-dynamic-table.ts';

/**
 * Makes a dynamic table, first refresh included, or leaves nothing behind. What a run that was terminated has left is taken
 * away by the next statement about that name.
 */
export async function createDynamicTable(input: CreateInput): Promise<CreateResult> {
  return failOnce(async () => {
    const {statement, dryRun, assumed} = readCreateInput(input);
    const {workflowId, runId, taskQueue} = workflowInfo();
    const site = await locate({table: null});
    const plan = await compute(site).checkStatement.executeWithOptions({summary: 'check the statement'}, [
      {statement, ...(assumed && {assumed})},
    ]);
    if (plan.exists) return result(plan, 'exists');
    if (dryRun === true) return result(plan, 'dry-run');

    if (plan.replaces !== undefined) return await replace({plan, replaces: plan.replaces}, site, taskQueue);
    const made: TableIncarnation = {table: plan.table, incarnation: runId};
    await light.reserveTable.executeWithOptions({summary: `reserve the name ${plan.table}`}, [
      {plan, run: {workflowId, runId}},
    ]);
    try {
      await compute(site).createTarget.executeWithOptions({summary: `create table ${plan.table}`}, [made]);
      const refresh = plan.definition.options.initialize === 'ON_CREATE' ? await firstRefresh(plan) : null;
      await light.finishCreate.executeWithOptions({summary: `start the schedule of ${plan.table}`}, [
        {...made, taskQueue},
      ]);
      return result(plan, 'created', refresh);
    } catch (error) {
      await CancellationScope.nonCancellable(() =>
        compute(site).removeTable.executeWithOptions({summary: `undo: remove ${plan.table}`}, [made]),
      );
      throw undone(error, 'Nothing was created.');
    }
  });
}

/** The table is there all the while: with its former query, and then, once the rows for it are published, with the new one. */
async function replace(replacement: ReplaceInput, site: Site, taskQueue: string): Promise<CreateResult> {
  const {plan} = replacement;
  const {table} = plan;
  let refresh: RefreshResult | null = null;
  try {
    await compute(site).replaceTable.executeWithOptions({summary: `another query for ${table}`}, [replacement]);
    if (plan.definition.options.initialize === 'ON_CREATE') refresh = await firstRefresh(plan);
  } catch (error) {
    await CancellationScope.nonCancellable(() =>
      compute(site).restoreTable.executeWithOptions({summary: `undo: the former query for ${table}`}, [replacement]),
    );
    throw undone(error, 'The table is what it was.');
  }
  await light.resumeTable.executeWithOptions({summary: `start the schedule of ${table}`}, [{table, taskQueue}]);
  return result(plan, 'replaced', refresh);
}

function firstRefresh({table}: CreatePlan): Promise<RefreshResult> {
  return executeChild(refreshDynamicTable, {
    args: [{table, trigger: 'create'}],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: `first refresh of ${table}`,
  });
}

/** What fails says what it means for a table that stays; here it means `what`. */
function undone(error: unknown, what: string): unknown {
  if (!(error instanceof TemporalFailure)) return error;
  const {code, message, hint, position} = errorOfFailure(error);
  const changed = hint?.replace(contentsKept, what);
  return new FreshetError(code, message, {hint: changed, position, cause: error});
}

function result(
  {table, columns, sources, mode, reasons}: CreatePlan,
  outcome: CreateResult['outcome'],
  refresh: RefreshResult | null = null,
): CreateResult {
  return {table, outcome, columns, sources, mode, reasons, refresh};
}
