import {isGrpcServiceError} from '@temporalio/client';

/** As gRPC numbers them: no answer before the deadline, and nobody there. */
const awayCodes: readonly number[] = [4, 14];

/** Whether an error says that Temporal can't be reached, rather than that it refuses something. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (isGrpcServiceError(error)) return awayCodes.includes(error.code);
  // In the SDK's words, when it has not come to the first call.
  return error.message.includes('before the deadline') || isAway(error.cause);
}
