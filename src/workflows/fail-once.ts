import {CancellationScope, CancelledFailure, TemporalFailure} from '@temporalio/workflow';
import {FreshetError} from '../errors.ts';
import {errorOfFailure, failureOfError} from '../failure.ts';

/**
 * Runs a whole workflow. Whatever fails in it becomes one failure whose message is the real cause and whose type is our code:
 * the Web UI and the CLI otherwise show "Activity task failed", with the cause three levels down. A bug in workflow code is
 * let through on purpose: it parks the run until the code is mended, and then goes on.
 */
export async function failOnce<T>(
  work: () => Promise<T>,
  onFailure: (error: FreshetError) => Promise<void> = () => Promise.resolve(),
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TemporalFailure || error instanceof FreshetError)) throw error;
    const cause = errorOfFailure(error);
    await CancellationScope.nonCancellable(() => onFailure(cause));
    // Cancelled by request is an end of its own kind; a child or an activity that was cancelled alone is a failure.
    if (CancellationScope.current().consideredCancelled && cause.code === 'cancelled') {
      throw new CancelledFailure(cause.message);
    }
    throw failureOfError(cause);
  }
}
