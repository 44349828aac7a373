import {ApplicationFailure, TemporalFailure} from '@temporalio/common';
import {isGrpcServiceError, ServiceError} from '@temporalio/client';
import {contentsKept, FreshetError, type ErrorCode} from '../errors.ts';
import {isLakeError, LakeError, type LakeErrorKind} from '../lake/errors.ts';
import {failureOfError} from '../failure.ts';

/**
 * An error as it leaves an activity: its type is our code, secrets are out of its text, and it says itself whether trying
 * again may mend it.
 */
export function failureOf(error: unknown, scrub: (text: string) => string): unknown {
  if (error instanceof TemporalFailure) return error;
  if (error instanceof FreshetError) return scrubbed(failureOfError(error), scrub);
  const message = scrub(error instanceof Error ? error.message : String(error));
  const {code, isMendable} = judge(error);
  const hint = error instanceof LakeError ? hints[error.kind] : undefined;
  const details = hint === undefined ? [] : [{hint}];
  return ApplicationFailure.create({message, type: code, nonRetryable: !isMendable, details});
}

const hints: Readonly<Partial<Record<LakeErrorKind, string>>> = {
  'no-room': `${contentsKept} Make room on that disk.`,
  'out-of-memory': 'Give the worker more memory (FRESHET_DUCKDB_MEMORY_LIMIT), or have it compute fewer at once.',
};

/** Network, PostgreSQL and a busy lake mend by themselves; a wrong statement, wrong data and bugs don't. */
function judge(error: unknown): {code: ErrorCode; isMendable: boolean} {
  if (isLakeError(error, 'data')) return {code: 'data_error', isMendable: false};
  if (isLakeError(error, 'statement')) return {code: 'internal', isMendable: false};
  // Others that run at the same time may have taken it: so it is tried again, and yet it is the table's own failure.
  if (isLakeError(error, 'out-of-memory')) return {code: 'out_of_memory', isMendable: true};
  if (isLakeError(error, 'missing-snapshot')) return {code: 'source_changed', isMendable: false};
  if (isLakeError(error, 'connection', 'ambiguous-commit', 'conflict', 'retries-exhausted', 'no-room')) {
    return {code: 'unavailable', isMendable: true};
  }
  // The store may have it in a moment. When it is gone for good, somebody has taken it away.
  if (isLakeError(error, 'missing-file')) return {code: 'source_changed', isMendable: true};
  if (isBug(error)) return {code: 'internal', isMendable: false};
  return {code: isServerError(error) ? 'unavailable' : 'internal', isMendable: true};
}

function isBug(error: unknown): boolean {
  const kinds = [TypeError, RangeError, ReferenceError, SyntaxError];
  return (
    kinds.some((kind) => error instanceof kind) ||
    (error instanceof Error && error.message.startsWith('Bug in Freshet'))
  );
}

/** Temporal's own, or one of PostgreSQL: the driver's, or the classes of its codes for connections, resources and conflicts. */
function isServerError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (isGrpcServiceError(error) || error instanceof ServiceError) return true;
  const code = 'code' in error ? String(error.code) : '';
  return (
    /^(ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|(?:08|28|40|53|57)\w{3}$)/.test(code) ||
    /^(Connection terminated|timeout exceeded|Query read timeout|Client has encountered a connection error)/.test(
      error.message,
    )
  );
}

function scrubbed(failure: ApplicationFailure, scrub: (text: string) => string): ApplicationFailure {
  return ApplicationFailure.create({
    message: scrub(failure.message),
    type: failure.type ?? 'internal',
    nonRetryable: failure.nonRetryable ?? false,
    details: failure.details ?? [],
  });
}
