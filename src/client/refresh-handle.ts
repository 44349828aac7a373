import {WorkflowFailedError, type Client, type WorkflowHandle} from '@temporalio/client';
import {ValueError} from '@temporalio/common';
import {FreshetError} from '../errors.ts';
import {errorOfFailure} from '../failure.ts';
import {watched, type OnHold} from './on-hold.ts';
import type {RefreshResult} from '../refresh/messages.ts';
import {progressOf, type Progress} from './progress.ts';

/** A refresh that is on its way. */
export type RefreshHandle = {
  readonly workflowId: string;
  readonly runId: string;
  /** Resolves when it is done; rejects with a `FreshetError`. */
  result(): Promise<RefreshResult>;
  /** Where it is now; null when no worker answers. */
  progress(): Promise<Progress | null>;
  /** Each new state of its progress, until it ends. */
  phases(): AsyncIterable<Progress>;
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
    if (error instanceof ValueError) throw unreadable(error);
    throw error instanceof WorkflowFailedError ? errorOfFailure(error.cause ?? error) : error;
  }
}

function unreadable(cause: ValueError): FreshetError {
  return new FreshetError('invalid_configuration', `What the worker has answered can't be read: ${cause.message}.`, {
    hint: 'A worker with a data converter of its own is asked by a FreshetClient whose Temporal client has it too.',
    cause,
  });
}

async function* phases(
  result: () => Promise<unknown>,
  progress: () => Promise<Progress | null>,
): AsyncGenerator<Progress> {
  let ended = false;
  const end = result().then(
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

/** Ends the calls of `wait` when the client is closed. Each has a signal of its own: the SDK never stops listening to one. */
async function unlessClosed<T>(temporal: Client, closed: AbortSignal, wait: () => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const abort = () => stop.abort();
  closed.addEventListener('abort', abort, {once: true});
  try {
    return await temporal.withAbortSignal(stop.signal, wait);
  } finally {
    closed.removeEventListener('abort', abort);
  }
}

export function refreshHandle(temporal: Client, handle: Started, onHold: OnHold, closed: AbortSignal): RefreshHandle {
  const progress = () => progressOf(temporal, handle);
  return {
    workflowId: handle.workflowId,
    runId: handle.firstExecutionRunId,
    result: async () => {
      const result = unlessClosed(temporal, closed, () => outcome(handle));
      // The type that the workflow declares.
      return (await watched(temporal, handle, result, onHold)) as RefreshResult;
    },
    progress,
    phases: () => phases(() => unlessClosed(temporal, closed, () => handle.result()), progress),
    cancel: async () => void (await handle.cancel()),
  };
}
