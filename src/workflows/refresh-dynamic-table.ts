import {
  CancellationScope,
  executeChild,
  ParentClosePolicy,
  startChild,
  workflowInfo,
  type ChildWorkflowOptions,
} from '@temporalio/workflow';
import {WorkflowExecutionAlreadyStartedError, type Priority} from '@temporalio/common';
import type {Chosen, Site} from '../activities/activities.ts';
import {standardPriority} from '../definition/definition.ts';
import {FreshetError, type ErrorCode} from '../errors.ts';
import type {Trigger} from '../refresh/action.ts';
import type {Choice, Publication, RefreshInput, RefreshResult} from '../refresh/messages.ts';
import {applyRefresh, type ApplyResult} from './apply-refresh.ts';
import {errorOfFailure} from '../failure.ts';
import {failOnce} from './fail-once.ts';
import {applyId, maintenanceId} from '../temporal-names.ts';
import type {maintainDynamicTable} from './maintain-dynamic-table.ts';
import {workflowTypes} from './messages.ts';
import {startProgress, type Show} from './progress.ts';
import {chooseVersion, light} from './proxies.ts';
import {readRefreshInput} from './read-input.ts';
import {startWaiting, type Waiting} from './waiting.ts';

/** How often a root run chooses again when a table below is found past the version it chose. */
const maxChoices = 5;

/**
 * Brings a dynamic table to a data version, with all dynamic tables below it: any number at once, for one table too. One
 * applies; the others wait for it and look again.
 */
export async function refreshDynamicTable(input: RefreshInput): Promise<RefreshResult> {
  const startedAt = new Date().toISOString();
  let table: string | null = null;
  return failOnce(
    async () => {
      const request = readRefreshInput(input);
      table = request.table;
      const waiting = startWaiting();
      try {
        return await refresh({request, trigger: triggerOf(request), waiting, show: startProgress(request.table)});
      } finally {
        await CancellationScope.nonCancellable(waiting.release);
      }
    },
    async ({code, message}) => {
      if (table === null || code === 'unknown_dynamic_table') return;
      const trigger = triggerOf(input);
      const dataVersion = input.dataVersion ?? null;
      await light
        .recordFailure({table, trigger, dataVersion, code, message, startedAt, run: run()})
        // The failure itself is what must be seen; that it is not in the history comes second.
        .catch(() => undefined);
    },
  );
}

type Run = {
  readonly request: RefreshInput;
  readonly trigger: Trigger;
  readonly waiting: Waiting;
  readonly show: Show;
};

/** A version to bring the table to, once one is known. */
type Target = {readonly dataVersion: number; readonly freshAt: string | null} | null;

async function refresh(asked: Run): Promise<RefreshResult> {
  const {request, show, waiting} = asked;
  const isRoot = request.dataVersion === undefined;
  let target: Target = isRoot ? null : {dataVersion: request.dataVersion, freshAt: request.freshAt ?? null};
  let hasWaited = false;

  for (let choices = 1; ;) {
    show('choose', [target === null ? 'choosing a snapshot' : `to snapshot ${target.dataVersion}`]);
    const chosen = await choose(asked, target);
    const {choice, table} = chosen;
    const context = {...asked, request: {...request, table}};

    if (choice.kind === 'no-data') {
      return finished(context, hasWaited ? 'joined' : 'no-data', choice.dataVersion, choice.publication);
    }
    if (choice.kind === 'suspended') {
      show('done', ['suspended: its schedule does nothing until it is resumed']);
      return {...nothing(table, 'suspended'), dataVersion: choice.dataVersion};
    }
    const step = choice.kind === 'ahead' ? choice : await bringTo(context, chosen, choice);
    switch (step.kind) {
      case 'done':
        return step.result;
      case 'wait': {
        hasWaited = true;
        show('wait', ['waiting for the refresh that is running'], step.apply);
        const failure = await waiting.waitFor(step.apply, step.dataVersion);
        if (failure !== null && failure.dataVersion >= step.dataVersion) throw joinedFailure(failure);
        break;
      }
      case 'ahead':
        if (!isRoot) return {...nothing(table, 'ahead'), dataVersion: step.dataVersion};
        if (++choices > maxChoices) return {...nothing(table, 'superseded'), dataVersion: step.dataVersion};
        target = {dataVersion: step.dataVersion, freshAt: null};
    }
  }
}

type Step =
  | {readonly kind: 'done'; readonly result: RefreshResult}
  | {readonly kind: 'ahead'; readonly dataVersion: number}
  | {
      readonly kind: 'wait';
      readonly apply: {readonly workflowId: string; readonly runId: string | null};
      readonly dataVersion: number;
    };

/** Upstream tables first, then the table itself, unless somebody is at it. */
async function bringTo(context: Run, chosen: Chosen, choice: Extract<Choice, {kind: 'refresh'}>): Promise<Step> {
  const {freshAt, site} = chosen;
  const priority = priorityOf(chosen);
  const {request} = context;
  const {dataVersion} = choice;
  const workflowId = applyId(site.prefix, request.table);
  if (choice.running !== null) return {kind: 'wait', apply: {workflowId, runId: choice.running}, dataVersion};

  const upstreams = await refreshUpstreams(context, choice, freshAt, priority);
  if (upstreams.kind === 'ahead') return upstreams;

  const applied = await apply(context, site, choice, freshAt, priority, upstreams.publications);
  if (applied === null) return {kind: 'wait', apply: {workflowId, runId: null}, dataVersion};
  context.waiting.hold(applied.waiters);
  if (applied.outcome === 'ahead') return {kind: 'ahead', dataVersion: applied.dataVersion};
  const {outcome, publication, summary, isMaintenanceDue} = applied;
  if (isMaintenanceDue) await startMaintenance(site, request.table);
  return {kind: 'done', result: finished(context, outcome, applied.dataVersion, publication, summary)};
}

type Upstreams =
  | {readonly kind: 'ready'; readonly publications: Readonly<Record<string, Publication>>}
  | {readonly kind: 'ahead'; readonly dataVersion: number};

async function refreshUpstreams(
  {show}: Run,
  {upstreams, dataVersion}: Extract<Choice, {kind: 'refresh'}>,
  freshAt: string,
  priority: Priority,
): Promise<Upstreams> {
  if (upstreams.length > 0) show('upstreams', [`to snapshot ${dataVersion}`, `first: ${upstreams.join(', ')}`]);
  const results = await Promise.all(
    upstreams.map(async (table) => {
      try {
        return await executeChild(refreshDynamicTable, {
          ...childOptions(`upstream ${table}: to snapshot ${dataVersion}`),
          priority,
          args: [{table, dataVersion, freshAt, trigger: 'upstream'}],
        });
      } catch (error) {
        throw failedUpstream(table, error);
      }
    }),
  );
  const ahead = results.filter(({outcome}) => outcome === 'ahead').map((result) => result.dataVersion);
  if (ahead.length > 0) return {kind: 'ahead', dataVersion: Math.max(...ahead)};
  return {
    kind: 'ready',
    publications: Object.fromEntries(results.map((result) => [result.table, publicationOf(result)])),
  };
}

/** Null when the table's apply is open already. */
async function apply(
  {request, trigger, show}: Run,
  site: Site,
  {dataVersion, hasReaders}: Extract<Choice, {kind: 'refresh'}>,
  freshAt: string,
  priority: Priority,
  upstreams: Readonly<Record<string, Publication>>,
): Promise<ApplyResult | null> {
  const workflowId = applyId(site.prefix, request.table);
  show('apply', [`to snapshot ${dataVersion}`], {workflowId});
  const {table} = request;
  try {
    return await executeChild(applyRefresh, {
      ...childOptions(`apply ${table}: to snapshot ${dataVersion}`),
      priority,
      workflowId,
      args: [{apply: {table, dataVersion, upstreams, full: request.full ?? false, hasReaders, trigger}, freshAt, site}],
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
    throw error;
  }
}

/** It outlives this run, and waits for the lock like any other; one at a time is enough. */
async function startMaintenance({prefix}: Site, table: string): Promise<void> {
  try {
    await startChild<typeof maintainDynamicTable>(workflowTypes.maintain, {
      workflowId: maintenanceId(prefix, table),
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `maintain ${table}`.slice(0, 190),
      args: [{table}],
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

function choose({request, trigger}: Run, target: Target): Promise<Chosen> {
  return chooseVersion.executeWithOptions({summary: `choose a version for ${request.table}`}, [
    {
      table: request.table,
      dataVersion: target?.dataVersion ?? null,
      freshAt: target?.freshAt ?? null,
      scheduledTime: scheduledTime(),
      full: request.full ?? false,
      trigger,
      run: run(),
    },
  ]);
}

/** Activities have that of their workflow. A table that somebody more important waits for is as important. */
function priorityOf({priority = standardPriority}: Chosen): Priority {
  // 0: whoever asked has none.
  const asked = workflowInfo().priority?.priorityKey || priority;
  return {priorityKey: Math.min(priority, asked)};
}

/** A child ends with its parent, in order: running statements are interrupted. */
function childOptions(staticSummary: string): Pick<ChildWorkflowOptions, 'parentClosePolicy' | 'staticSummary'> {
  return {parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL, staticSummary: staticSummary.slice(0, 190)};
}

function finished(
  {request, show}: Run,
  outcome: 'refreshed' | 'no-data' | 'joined',
  dataVersion: number,
  publication: Publication,
  refresh: RefreshResult['refresh'] = null,
): RefreshResult {
  const action = refresh === null ? [] : [`${refresh.action}${refresh.reason === null ? '' : `: ${refresh.reason}`}`];
  show('done', [outcome, `at snapshot ${dataVersion}`, `${publication.rows} rows`, ...action]);
  return {table: request.table, outcome, dataVersion, publication, refresh};
}

function nothing(table: string, outcome: 'ahead' | 'superseded' | 'suspended'): Omit<RefreshResult, 'dataVersion'> {
  return {table, outcome, publication: null, refresh: null};
}

function publicationOf({table, publication}: RefreshResult): Publication {
  if (publication !== null) return publication;
  throw new FreshetError('internal', `The refresh of ${table} ended without saying what it published.`);
}

function joinedFailure({code, message}: {code: ErrorCode; message: string}): FreshetError {
  return new FreshetError(code, `The refresh that this one joined failed: ${message}`);
}

function failedUpstream(table: string, error: unknown): FreshetError {
  const cause = errorOfFailure(error);
  return new FreshetError(cause.code, `Upstream ${table}: ${cause.message}`, {hint: cause.hint, cause: error});
}

/** The nominal time of the tick, which the server writes on runs that a schedule starts. */
function scheduledTime(): string | null {
  const [time] = workflowInfo().searchAttributes['TemporalScheduledStartTime'] ?? [];
  return time instanceof Date ? time.toISOString() : null;
}

function triggerOf({trigger}: RefreshInput): Trigger {
  return trigger ?? (scheduledTime() === null ? 'manual' : 'schedule');
}

function run(): {workflowId: string; runId: string} {
  const {workflowId, runId} = workflowInfo();
  return {workflowId, runId};
}
