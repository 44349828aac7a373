import type {Client, WorkflowExecutionDescription, WorkflowHandle} from '@temporalio/client';
import type {Heartbeat, StatementProgress} from '../refresh/messages.ts';
import {progressQuery, type RefreshProgress} from '../workflows/messages.ts';

/** Where a refresh is. */
export type Progress = RefreshProgress & {
  /** What DuckDB runs for it now, as its last heartbeat said; null while that is nothing, or not known. */
  readonly statement: StatementProgress | null;
  /** The upstream table that it waits for, or one of them; null while it does its own work. */
  readonly upstream: Progress | null;
};

/** The finest that is known of a refresh: its own progress, its apply's, or that of an upstream; null when no worker answers. */
export async function progressOf(temporal: Client, handle: WorkflowHandle): Promise<Progress | null> {
  const root = await ask(handle);
  if (root === null) return null;
  const coarse = {...root, statement: null, upstream: null};
  if (root.phase === 'upstreams') return {...coarse, upstream: await progressOfChild(temporal, handle)};
  if (root.apply === null || (root.phase !== 'apply' && root.phase !== 'wait')) return coarse;
  return (await progressOfApply(temporal, root.apply.workflowId)) ?? coarse;
}

/** Null when none is open: under the same id the last one answers until the next has begun. */
export async function progressOfApply(temporal: Client, workflowId: string): Promise<Progress | null> {
  const handle = temporal.workflow.getHandle(workflowId);
  const description = await described(handle);
  if (description?.status.name !== 'RUNNING') return null;
  const [progress, statement] = await Promise.all([ask(handle), statementOf(temporal, description).catch(() => null)]);
  return progress === null || progress.phase === 'done' ? null : {...progress, statement, upstream: null};
}

/** Of one of the refreshes that a workflow waits for; null when there is none that has something to tell. */
export async function progressOfChild(temporal: Client, handle: WorkflowHandle): Promise<Progress | null> {
  const children = (await described(handle))?.raw.pendingChildren ?? [];
  for (const {workflowId, runId} of children) {
    if (!workflowId) continue;
    const progress = await progressOf(temporal, temporal.workflow.getHandle(workflowId, runId ?? undefined));
    if (progress !== null && progress.phase !== 'done') return progress;
  }
  return null;
}

/** Null: no worker, a run that has just ended, or one that has not begun. Progress is a courtesy. */
function ask(handle: WorkflowHandle): Promise<RefreshProgress | null> {
  return handle.query<RefreshProgress>(progressQuery).catch(() => null);
}

function described(handle: WorkflowHandle): Promise<WorkflowExecutionDescription | null> {
  return handle.describe().catch(() => null);
}

/** From the heartbeat of the activity at work. */
async function statementOf(
  {options: {loadedDataConverter}}: Client,
  {raw}: WorkflowExecutionDescription,
): Promise<StatementProgress | null> {
  const {payloadConverter, payloadCodecs} = loadedDataConverter;
  for (const {heartbeatDetails} of raw.pendingActivities ?? []) {
    let payloads = [...(heartbeatDetails?.payloads ?? [])];
    for (const codec of payloadCodecs.toReversed()) payloads = await codec.decode(payloads);
    const [payload] = payloads;
    if (payload === undefined) continue;
    // Our own activities have written it, if not those of an older version.
    const heartbeat = payloadConverter.fromPayload<Partial<Heartbeat> | null>(payload);
    if (heartbeat?.statement != null) return heartbeat.statement;
  }
  return null;
}
