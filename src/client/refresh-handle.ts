import {WorkflowFailedError, type Client, type WorkflowHandle} from '@temporalio/client';
import {errorOfFailure} from '../failure.ts';
import {watched, type OnHold} from './on-hold.ts';
import type {RefreshResult} from '../refresh/messages.ts';
import {progressQuery, type RefreshProgress} from '../workflows/messages.ts';

/** A refresh that is on its way. */
export type RefreshHandle = {
  readonly workflowId: string;
  readonly runId: string;
  /** Resolves when it is done; rejects with a `FreshetError`. */
  result(): Promise<RefreshResult>;
  /** Where it is now; null when no worker answers. */
  progress(): Promise<RefreshProgress | null>;
  /** Each new state of its progress, until it ends. */
  phases(): AsyncIterable<RefreshProgress>;
  /** Asks it to stop; running SQL is interrupted. */
  cancel(): Promise<void>;
};

/** How often a running refresh is asked for its phase. */
const progressMilliseconds = 150;

export type Started = WorkflowHandle & {readonly firstExecutionRunId: string};

/** The workflow's result, its failure as the `FreshetError` that it stands for. */
export async function outcome(handle: WorkflowHandle): Promise<unknown> {
  try {
    return await handle.result();
  } catch (error) {
    throw error instanceof WorkflowFailedError ? errorOfFailure(error.cause ?? error) : error;
  }
}

async function ask(handle: WorkflowHandle): Promise<RefreshProgress | null> {
  try {
    return await handle.query<RefreshProgress>(progressQuery);
  } catch {
    // No worker, a run that has just ended, or one that has not begun: progress is a courtesy.
    return null;
  }
}

async function* phases(
  handle: WorkflowHandle,
  progress: () => Promise<RefreshProgress | null>,
): AsyncGenerator<RefreshProgress> {
  let ended = false;
  const end = handle.result().then(
    () => (ended = true),
    () => (ended = true),
  );
  let shown = '';
  while (!ended) {
    const now = await progress();
    const text = JSON.stringify(now);
    if (now !== null && text !== shown) yield now;
    shown = text;
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, progressMilliseconds))]);
  }
}

export function refreshHandle(temporal: Client, handle: Started, onHold: OnHold): RefreshHandle {
  const progress = () => finestProgress(temporal, handle);
  return {
    workflowId: handle.workflowId,
    runId: handle.firstExecutionRunId,
    // The type that the workflow declares.
    result: async () => (await watched(temporal, handle, outcome(handle), onHold)) as RefreshResult,
    progress,
    phases: () => phases(handle, progress),
    cancel: async () => void (await handle.cancel()),
  };
}

/** The root's progress, or the finer one of the apply that it waits for. Only the root's end is the refresh's. */
async function finestProgress(temporal: Client, handle: WorkflowHandle): Promise<RefreshProgress | null> {
  const root = await ask(handle);
  if (root === null || root.apply === null || root.phase !== 'apply') return root;
  const apply = temporal.workflow.getHandle(root.apply.workflowId);
  // Under the same id the last refresh's apply answers until this one's has begun.
  const finer = (await isRunning(apply)) ? await ask(apply) : null;
  return finer === null || finer.phase === 'done' ? root : finer;
}

async function isRunning(handle: WorkflowHandle): Promise<boolean> {
  try {
    return (await handle.describe()).status.name === 'RUNNING';
  } catch {
    return false; // It has not begun.
  }
}
