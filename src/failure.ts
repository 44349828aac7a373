import {
  ApplicationFailure,
  CancelledFailure,
  TemporalFailure,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/common';
import {errorCodes, FreshetError, type ErrorCode, type Position} from './errors.ts';

/**
 * Errors on their way through Temporal. A `FreshetError` is an `ApplicationFailure` whose type is its code and whose details
 * hold the hint and the position; pure, so that workflows, activities and clients share it.
 */

type Details = {readonly hint?: string; readonly position?: Position};

export function failureOfError(error: FreshetError): ApplicationFailure {
  const details: Details = {
    ...(error.hint === undefined ? {} : {hint: error.hint}),
    ...(error.position === undefined ? {} : {position: error.position}),
  };
  return ApplicationFailure.create({message: error.message, type: error.code, nonRetryable: true, details: [details]});
}

/** The error that a failure stands for: its innermost cause, which is what really happened. */
export function errorOfFailure(failure: unknown): FreshetError {
  const cause = innermost(failure);
  if (cause instanceof FreshetError) return cause;
  if (cause instanceof CancelledFailure) return new FreshetError('cancelled', 'It was cancelled.', {cause: failure});
  if (cause instanceof TerminatedFailure) return new FreshetError('cancelled', 'It was terminated.', {cause: failure});
  if (cause instanceof TimeoutFailure) return timedOut(cause, failure);
  if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
    // Details are ours when the type is: written by `failureOfError`.
    const {hint, position} = (cause.details?.[0] ?? {}) as Details;
    return new FreshetError(cause.type, cause.message, {hint, position, cause: failure});
  }
  return new FreshetError('internal', cause instanceof Error ? cause.message : String(cause), {cause: failure});
}

/** Whoever computes heartbeats: when even that stops, again and again, what is computed may be what kills workers. */
function timedOut({message, timeoutType}: TimeoutFailure, cause: unknown): FreshetError {
  if (timeoutType !== 'HEARTBEAT') return new FreshetError('unavailable', `No answer in time: ${message}`, {cause});
  return new FreshetError('worker_lost', 'Every worker that tried it died or hung.', {
    hint: 'Their logs, or those of their machines, may say of what: most often it is memory.',
    cause,
  });
}

/** Activity and child failures only say that something failed; the cause inside them says what. */
function innermost(failure: unknown): unknown {
  const wraps = failure instanceof TemporalFailure && !(failure instanceof ApplicationFailure);
  return wraps && failure.cause !== undefined ? innermost(failure.cause) : failure;
}

function isErrorCode(type: string | undefined | null): type is ErrorCode {
  return errorCodes.some((code) => code === type);
}
