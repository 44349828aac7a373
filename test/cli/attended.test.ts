import {EventEmitter} from 'node:events';
import {PassThrough} from 'node:stream';
import {expect, test, vi} from 'vitest';
import {attended} from '../../src/cli/attended.ts';
import type {RefreshHandle} from '../../src/client.ts';
import {FreshetError} from '../../src/errors.ts';
import {gate} from '../support/gate.ts';
import type {RefreshResult} from '../../src/refresh/messages.ts';

const done: RefreshResult = {table: 'main.t', outcome: 'no-data', dataVersion: 7, publication: null, refresh: null};
const question = 'Cancel the refresh of main.t, or leave it running?';

/** A refresh that runs until it is ended or cancelled, and somebody before a terminal, or a pipe. */
function aWait({isPerson = true, endsAtOnce = true} = {}) {
  // Both are assigned before the constructor of the promise returns.
  let resolve!: (result: RefreshResult) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<RefreshResult>((...both) => ([resolve, reject] = both));
  const cancel = vi.fn<() => Promise<void>>(() => {
    if (!endsAtOnce) return new Promise(() => undefined);
    reject(new FreshetError('cancelled', 'It was cancelled.'));
    return Promise.resolve();
  });
  const handle: RefreshHandle = {
    ...{workflowId: 'one', runId: 'two', cancel, result: () => promise, progress: () => Promise.resolve(null)},
    // It has none to tell.
    phases: () => ({[Symbol.asyncIterator]: () => ({next: () => promise.then(ended, ended)})}),
  };
  const [signals, input, output] = [new EventEmitter(), new PassThrough(), new PassThrough()];
  const written: string[] = [];
  const isAsked = new Promise<void>((asked) => {
    output.on('data', (chunk: Buffer) => {
      written.push(chunk.toString());
      if (written.join('').includes(question)) asked();
    });
  });
  const shown: string[] = [];
  const cancelling = gate();
  const show = (text: string) => {
    shown.push(text);
    // By then the next Ctrl-C is listened for, as soon as the present turn is over.
    if (text === 'Cancelling') setImmediate(cancelling.mark);
  };
  const progress = {show, end: () => void shown.push('(end)')};
  const task = {doing: 'Refreshing', task: 'the refresh of main.t'};
  const result = attended(handle, task, progress, {signals, input, output, isPerson});
  return {
    result,
    cancel,
    shown,
    written,
    signals,
    input,
    isAsked,
    isCancelling: cancelling.reached,
    end: () => resolve(done),
    interrupt: () => signals.emit('SIGINT'),
  };
}

const ended = () => ({done: true, value: undefined}) as const;

test('Ctrl-C asks, and a refresh that is to be cancelled is waited for until it has ended', async () => {
  const {result, cancel, shown, input, signals, isAsked, interrupt} = aWait();
  interrupt();
  await isAsked;
  expect(cancel).not.toHaveBeenCalled();
  // A spinner's listener would end the process if it were the only one.
  expect(signals.listenerCount('SIGINT')).toBe(1);
  input.write('c\n');
  await expect(result).rejects.toMatchObject({code: 'cancelled'});
  expect(cancel).toHaveBeenCalledOnce();
  expect(shown).toContain('Cancelling');
  expect(signals.listenerCount('SIGINT')).toBe(0);
});

test('Ctrl-C once more waits no longer for the end of what is being cancelled, nor for a Temporal that hangs', async () => {
  const {result, input, isAsked, isCancelling, interrupt} = aWait({endsAtOnce: false});
  interrupt();
  await isAsked;
  input.write('c\n');
  await isCancelling;
  interrupt();
  await expect(result).rejects.toMatchObject({
    code: 'cancelled',
    message: 'The refresh of main.t was to be cancelled; its end is not waited for.',
  });
});

test('that it could not be cancelled is told', async () => {
  const {result, cancel, input, isAsked, interrupt} = aWait();
  cancel.mockRejectedValueOnce(new FreshetError('unavailable', 'Temporal is away.'));
  interrupt();
  await isAsked;
  input.write('c\n');
  await expect(result).rejects.toMatchObject({code: 'unavailable'});
});

test.each([
  ['Enter', (input: PassThrough) => void input.write('\n')],
  ['the end of the input', (input: PassThrough) => void input.end()],
])('%s leaves the refresh running', async (_, answer) => {
  const {result, cancel, input, isAsked, interrupt} = aWait();
  interrupt();
  await isAsked;
  answer(input);
  expect(await result).toBeNull();
  expect(cancel).not.toHaveBeenCalled();
});

test('a refresh that ends while it is asked about gives its result', async () => {
  const {result, isAsked, interrupt, end} = aWait();
  interrupt();
  await isAsked;
  end();
  expect(await result).toBe(done);
});

test('in a pipe Ctrl-C asks nothing and leaves the refresh running', async () => {
  const {result, cancel, written, interrupt} = aWait({isPerson: false});
  interrupt();
  expect(await result).toBeNull();
  expect(written).toEqual([]);
  expect(cancel).not.toHaveBeenCalled();
});
