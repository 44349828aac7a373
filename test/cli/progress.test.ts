import {clearLine, cursorTo, moveCursor} from 'node:readline';
import {PassThrough} from 'node:stream';
import {stripVTControlCharacters} from 'node:util';
import type {Client, WorkflowHandle} from '@temporalio/client';
import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {finished} from '../../src/cli/finished.ts';
import {withProgress} from '../../src/cli/progress.ts';
import {watched} from '../../src/client/on-hold.ts';
import type {Progress} from '../../src/client.ts';
import type {RefreshResult} from '../../src/refresh/messages.ts';

/** A terminal in the place of standard error, and what has been written on it. */
function aTerminal(): () => string {
  let written = '';
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => (written += chunk.toString()));
  const terminal = Object.assign(stream, {
    isTTY: true,
    columns: 80,
    cursorTo: (x: number) => cursorTo(stream, x),
    moveCursor: (x: number, y: number) => moveCursor(stream, x, y),
    clearLine: (direction: -1 | 0 | 1) => clearLine(stream, direction),
  });
  vi.spyOn(process, 'stderr', 'get').mockReturnValue(terminal as unknown as typeof process.stderr);
  return () => stripVTControlCharacters(written);
}

beforeEach(() => {
  vi.useFakeTimers();
  // A spinner turns on no terminal of these.
  vi.stubEnv('CI', undefined);
  vi.stubEnv('TERM', 'xterm');
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const noWorker = {pendingWorkflowTask: {state: 1, scheduledTime: {seconds: 0}}};
const attemptFailed = {pendingActivities: [{attempt: 3, lastFailure: {message: 'PostgreSQL is away'}}]};
const done: RefreshResult = {table: 'main.t', outcome: 'no-data', dataVersion: 7, publication: null, refresh: null};

test('on a terminal a refresh turns a spinner beside why it waits: no worker, then the error of the last attempt', async () => {
  const shown = aTerminal();
  let raw: object = noWorker;
  const handle = {describe: () => Promise.resolve({raw, taskQueue: 'freshet'})} as unknown as WorkflowHandle;
  let end = (): void => undefined;
  const ended = new Promise<RefreshResult>((resolve) => (end = () => resolve(done)));
  async function* phases(): AsyncGenerator<Progress> {
    yield {table: 'main.t', phase: 'choose', details: [], apply: null, statement: null, upstream: null};
    await ended;
  }

  const refreshed = withProgress(false, ({show}) =>
    finished({phases, result: () => watched({} as Client, handle, ended, show)}, show),
  );
  await vi.advanceTimersByTimeAsync(500);
  expect(shown()).toMatch(/[⠋⠙⠹⠸] Refreshing: choose/);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(shown()).toContain('No worker takes work from the task queue freshet: start freshet worker');
  raw = attemptFailed;
  await vi.advanceTimersByTimeAsync(2_500);
  expect(shown()).toContain('Attempt 2 failed, and is made again: PostgreSQL is away');
  // It turns on: the same words beside another dot.
  expect(new Set(shown().match(/.(?= Attempt 2 failed)/g)).size).toBeGreaterThan(2);
  end();
  expect(await refreshed).toBe(done);
});

test('beside JSON nothing is shown on a terminal', async () => {
  const shown = aTerminal();
  await withProgress(true, ({show}) => Promise.resolve(show('Refreshing: choose')));
  expect(shown()).toBe('');
});
