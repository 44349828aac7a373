import {
  CancelledFailure,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type {ErrorCode} from '../errors.ts';

/**
 * How runs wait for the one apply that a table may have open: by signals between workflows, never in an activity slot, for a
 * hundred waiters must not starve the one they wait for. A waiter joins the apply; when that has ended, the waiters with the
 * lowest version are told to go on and one of them is handed the rest, so that they come one version after another and not
 * as a herd. Whoever was terminated tells nobody: hence the timer.
 */

export type Waiter = {readonly workflowId: string; readonly runId: string; readonly dataVersion: number};

/** What a waiter is told: whom to tell in its turn, and how the apply failed, if it did. */
export type GoOn = {
  readonly rest: readonly Waiter[];
  readonly failure: {readonly code: ErrorCode; readonly message: string; readonly dataVersion: number} | null;
};

const join = defineSignal<[Waiter]>('join');
const goOn = defineSignal<[GoOn]>('applyEnded');

/** For an apply: the runs that wait for it, as they come. */
export function collectWaiters(): readonly Waiter[] {
  const waiters: Waiter[] = [];
  setHandler(
    join,
    (waiter) => {
      if (!waiters.some(({runId}) => runId === waiter.runId)) waiters.push(waiter);
    },
    {description: 'Another run waits for this one'},
  );
  return waiters;
}

/** For a run that may have to wait. */
export type Waiting = {
  /** Resolves when the apply has ended, as far as it is known; whoever calls looks again. */
  readonly waitFor: (
    apply: {workflowId: string; runId: string | null},
    dataVersion: number,
  ) => Promise<GoOn['failure']>;
  /** Takes over waiters whom we shall tell at our end. */
  readonly hold: (waiters: readonly Waiter[]) => void;
  /** Lets go on whom we hold, those that were handed to us among them. */
  readonly release: () => Promise<void>;
};

const firstNetSeconds = 10;
const longestNetSeconds = 120;

export function startWaiting(): Waiting {
  let held: Waiter[] = [];
  let told: GoOn | null = null;
  let netSeconds = firstNetSeconds;
  setHandler(
    goOn,
    (message) => {
      held.push(...message.rest);
      told = message;
    },
    {description: 'The refresh that this one waits for has ended'},
  );

  return {
    waitFor: async (apply, dataVersion) => {
      told = null;
      const {workflowId, runId} = workflowInfo();
      const isThere = await signals(() =>
        getExternalWorkflowHandle(apply.workflowId, apply.runId ?? undefined).signal(join, {
          workflowId,
          runId,
          dataVersion,
        }),
      );
      if (!isThere) return null;
      await condition(() => told !== null, `${netSeconds} seconds`);
      netSeconds = Math.min(netSeconds * 2, longestNetSeconds);
      // The handler assigns it while we wait; the compiler only sees the null above.
      return (told as GoOn | null)?.failure ?? null;
    },
    hold: (waiters) => void held.push(...waiters),
    release: async () => {
      const all = held;
      held = [];
      await passOn(all, null);
    },
  };
}

/** Tells the waiters with the lowest version to go on, and hands the others to one of them. */
export async function passOn(waiters: readonly Waiter[], failure: GoOn['failure']): Promise<void> {
  if (waiters.length === 0) return;
  const lowest = Math.min(...waiters.map(({dataVersion}) => dataVersion));
  const group = waiters.filter(({dataVersion}) => dataVersion === lowest);
  let rest = waiters.filter(({dataVersion}) => dataVersion !== lowest);
  while (rest.length > 0 && group.length > 0) {
    // The group is not empty: its first is there.
    if (await tell(group.shift()!, {rest, failure})) rest = [];
  }
  await Promise.all(group.map((waiter) => tell(waiter, {rest: [], failure})));
  await passOn(rest, failure);
}

function tell({workflowId, runId}: Waiter, message: GoOn): Promise<boolean> {
  return signals(() => getExternalWorkflowHandle(workflowId, runId).signal(goOn, message));
}

/** Whether the workflow was there to be told: one that has ended is an answer, not an error. */
async function signals(send: () => Promise<void>): Promise<boolean> {
  try {
    await send();
    return true;
  } catch (error) {
    if (error instanceof CancelledFailure) throw error;
    return false;
  }
}
