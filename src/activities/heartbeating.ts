import {Context} from '@temporalio/activity';
import type {Lake} from '../lake/lake.ts';
import type {Session} from '../lake/session.ts';
import type {Heartbeat} from '../refresh/messages.ts';
import type {Deps} from './deps.ts';

/** So often at least: an operator watches, and a cancellation comes as the answer. */
const longestBeatMs = 1_000;

/**
 * Runs the work of an activity: heartbeats on a timer beside its statements, so that a dead worker is noticed soon and
 * cancellation arrives at all, and hands on the signal that interrupts the statements. The heartbeats say which statement the
 * lake that is handed on computes, and how far it is. An error after cancellation is the cancellation.
 */
export async function heartbeating<T>(
  {lake, site}: Pick<Deps, 'lake' | 'site'>,
  phase: string,
  work: (lake: Lake, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  let session: Session | null = null;
  const beat = () => {
    const heartbeat: Heartbeat = {phase, statement: session?.progress() ?? null};
    context.heartbeat(heartbeat);
  };
  const compute: Lake['compute'] = (settings, use, signal) =>
    lake.compute(
      settings,
      async (opened) => {
        await opened.tellProgress();
        session = opened;
        try {
          return await use(opened);
        } finally {
          session = null;
        }
      },
      signal,
    );
  const timer = setInterval(beat, Math.min((site.heartbeatSeconds * 1000) / 4, longestBeatMs));
  beat();
  try {
    return await work({...lake, compute}, context.cancellationSignal);
  } catch (error) {
    // Rejects at once with the CancelledFailure that the server understands.
    if (context.cancellationSignal.aborted) await context.cancelled;
    throw error;
  } finally {
    clearInterval(timer);
  }
}
