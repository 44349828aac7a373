import {ServiceError} from '@temporalio/client';
import {ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure} from '@temporalio/common';
import {expect, test} from 'vitest';
import {failureOf} from '../src/activities/failures.ts';
import {FreshetError} from '../src/errors.ts';
import {errorOfFailure} from '../src/failure.ts';
import {classify, LakeError} from '../src/lake/errors.ts';

/** What an activity's error becomes: our code, and whether Temporal tries again. */
function judged(error: unknown): {code: string | null | undefined; isRetried: boolean} {
  const failure = failureOf(error, (text) => text.replaceAll('s3cret', '***'));
  if (!(failure instanceof ApplicationFailure)) throw new Error(`not a failure: ${String(failure)}`);
  return {code: failure.type, isRetried: failure.nonRetryable !== true};
}

function lakeError(message: string): LakeError {
  return new LakeError(classify(message), message);
}

function withCode(code: string): Error {
  return Object.assign(new Error('no'), {code});
}

test.each([
  [lakeError('IO Error: Unable to connect to Postgres at "host=x": connection refused'), 'unavailable'],
  [lakeError('TransactionContext Error: Failed to commit: Transaction conflict - attempting to insert'), 'unavailable'],
  [lakeError('TransactionContext Error: Exceeded the maximum retry count of 10'), 'unavailable'],
  [lakeError('HTTP Error: Unable to connect to URL "http://store/x.parquet": 503'), 'unavailable'],
  [lakeError('IO Error: Could not establish connection error for HTTP HEAD to store'), 'unavailable'],
  [lakeError('IO Error: Cannot open file "/data/x.parquet": No such file or directory'), 'source_changed'],
  [lakeError('Out of Memory Error: failed to allocate data'), 'out_of_memory'],
  [lakeError('IO Error: Could not write file "/staging/x.parquet": No space left on device'), 'unavailable'],
  [lakeError('INTERNAL Error: Attempted to dereference unique_ptr that is NULL'), 'internal'],
  [new LakeError('ambiguous-commit', 'server closed the connection'), 'unavailable'],
  [withCode('ECONNREFUSED'), 'unavailable'],
  [withCode('EAI_AGAIN'), 'unavailable'],
  [withCode('57P01'), 'unavailable'],
  [withCode('53300'), 'unavailable'],
  [withCode('40P01'), 'unavailable'],
  [new Error('timeout exceeded when trying to connect'), 'unavailable'],
  [new Error('Connection terminated unexpectedly'), 'unavailable'],
  [new Error('Query read timeout'), 'unavailable'],
  [new ServiceError('Failed to start workflow'), 'unavailable'],
])('%s is temporary: tried again', (error, code) => {
  expect(judged(error)).toEqual({code, isRetried: true});
});

test.each([
  [new FreshetError('unknown_source', 'Table with name orders does not exist!'), 'unknown_source'],
  [new FreshetError('unknown_column', 'no'), 'unknown_column'],
  [new FreshetError('source_changed', 'no'), 'source_changed'],
  [lakeError("Conversion Error: Could not convert string 'x' to INT32"), 'data_error'],
  [lakeError('Out of Range Error: Overflow in addition of INT32'), 'data_error'],
  [lakeError('Invalid Input Error: said by error()'), 'data_error'],
  [lakeError('Invalid Input Error: No snapshot found at version 7'), 'source_changed'],
  [lakeError('Binder Error: Referenced column "a" not found in FROM clause!'), 'internal'],
  [new TypeError('x is not a function'), 'internal'],
  [new Error('Bug in Freshet: it should have held'), 'internal'],
])('%s is permanent: said once', (error, code) => {
  expect(judged(error)).toEqual({code, isRetried: false});
});

test('what is cancelled stays cancelled', () => {
  const cancelled = new CancelledFailure('stop');
  expect(failureOf(cancelled, (text) => text)).toBe(cancelled);
});

test('work that no worker survives is told apart from servers that do not answer', () => {
  const failureOfTimeout = (type: TimeoutFailure['timeoutType']) =>
    new ActivityFailure(
      ...(['Activity task timed out', 'publishRefresh', '7', 'MAXIMUM_ATTEMPTS_REACHED', 'worker'] as const),
      new TimeoutFailure('activity timeout', null, type),
    );
  expect(errorOfFailure(failureOfTimeout('HEARTBEAT'))).toMatchObject({code: 'worker_lost'});
  expect(errorOfFailure(failureOfTimeout('START_TO_CLOSE'))).toMatchObject({code: 'unavailable'});
});

test('secrets are out of the message, whatever it was', () => {
  for (const error of [new Error('no s3cret'), new FreshetError('unavailable', 'no s3cret')])
    expect(failureOf(error, (text) => text.replaceAll('s3cret', '***'))).toMatchObject({message: 'no ***'});
});
