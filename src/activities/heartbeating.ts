import {Context} from '@temporalio/activity';

/**
 * Runs the work of an activity: heartbeats on a timer beside its statements, so that a dead worker is noticed soon and
 * cancellation arrives at all, and hands on the signal that interrupts the statements. An error after cancellation is the
 * cancellation.
 */
export async function heartbeating<T>(heartbeatSeconds: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), (heartbeatSeconds * 1000) / 4);
  context.heartbeat();
  try {
    return await work(context.cancellationSignal);
  } catch (error) {
    // Rejects at once with the CancelledFailure that the server understands.
    if (context.cancellationSignal.aborted) await context.cancelled;
    throw error;
  } finally {
    clearInterval(beat);
  }
}
