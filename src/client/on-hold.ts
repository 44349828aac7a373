import type {Client, WorkflowHandle} from '@temporalio/client';

/** Told, in words, why something does not go on. */
export type OnHold = (why: string) => void;

/** How often a workflow that has not ended is looked at, and how long its work may lie there until that is worth a word. */
const lookMilliseconds = 2_000;

/**
 * The result of a workflow; meanwhile `tell` hears why it does not go on: that no worker takes it, or what its last attempt failed
 * of. A server that is away is waited for by the worker, and whoever waits for the worker should know.
 */
export async function watched<T>(
  temporal: Client,
  handle: WorkflowHandle,
  result: Promise<T>,
  tell: OnHold,
): Promise<T> {
  let hasEnded = false;
  const end = result.then(
    () => void (hasEnded = true),
    () => void (hasEnded = true),
  );
  let told = '';
  for (;;) {
    await Promise.race([end, wait()]);
    if (hasEnded) return await result;
    // A look is a courtesy: where it fails, the result itself will say why.
    const why = await whyOnHold(temporal, handle).catch(() => null);
    if (why !== null && why !== told) tell((told = why));
  }
}

function wait(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, lookMilliseconds).unref());
}

async function whyOnHold(temporal: Client, handle: WorkflowHandle): Promise<string | null> {
  const {raw, taskQueue} = await handle.describe();
  if (raw.pendingWorkflowTask != null && isLyingThere(raw.pendingWorkflowTask)) return noWorker(taskQueue);
  for (const activity of raw.pendingActivities ?? []) {
    const failure = activity.lastFailure?.message;
    if (failure) return `Attempt ${(activity.attempt ?? 2) - 1} failed, and is made again: ${failure}`;
    if (isLyingThere(activity))
      return `${activity.activityType?.name ?? 'An activity'} waits for a worker that is free`;
  }
  for (const {workflowId, runId} of raw.pendingChildren ?? []) {
    if (!workflowId) continue;
    const why = await whyOnHold(temporal, temporal.workflow.getHandle(workflowId, runId ?? undefined));
    if (why !== null) return why;
  }
  return null;
}

function noWorker(taskQueue: string): string {
  return `No worker takes work from the task queue ${taskQueue}: start freshet worker, or name the task queue of a worker of yours in FRESHET_TASK_QUEUE`;
}

type Task = {
  readonly state?: number | null;
  readonly scheduledTime?: {readonly seconds?: unknown} | null;
};

/** As Temporal's API numbers the states of a task that nobody has taken. */
const scheduled = 1;

function isLyingThere({state, scheduledTime}: Task): boolean {
  const since = Number(scheduledTime?.seconds ?? Number.NaN) * 1000;
  return state === scheduled && Date.now() - since > lookMilliseconds;
}
