import {once, type EventEmitter} from 'node:events';
import {createInterface} from 'node:readline/promises';
import type {Handle} from '../client.ts';
import {FreshetError} from '../errors.ts';
import {finished} from './finished.ts';
import type {Progress} from './progress.ts';
import {shellWord} from './text.ts';

/** Who is told of Ctrl-C and may be asked; `isPerson`: somebody sits there, it is no pipe. */
export type Surroundings = {
  readonly signals: EventEmitter;
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly isPerson: boolean;
};

/** Programs are not asked: neither those that read JSON, nor those at the end of a pipe. */
export function surroundings(isJson: boolean): Surroundings {
  const isPerson = !isJson && process.stdin.isTTY && process.stderr.isTTY;
  return {signals: process, input: process.stdin, output: process.stderr, isPerson};
}

/** What is waited for, in words: `Refreshing` beside its phases, and `the refresh of main.totals`. */
export type Task = {readonly doing: string; readonly task: string};

export const creation: Task = {doing: 'Creating the table', task: 'the creation of the table'};

/**
 * Waits for a workflow like `finished`. Ctrl-C does not end it, for it goes on elsewhere: a person is asked whether to cancel it,
 * and hears of it until it has ended. Null: it was left to go on, by a person's answer or in a pipe.
 */
export async function attended<Result>(
  handle: Handle<Result>,
  {doing, task}: Task,
  shown: Progress,
  {signals, input, output, isPerson}: Surroundings,
): Promise<Result | null> {
  let isQuiet = false;
  const ended = new AbortController();
  const show: Progress['show'] = (text, work) => {
    if (!isQuiet) shown.show(text, work);
  };
  const result = finished(handle, show, doing).finally(() => ended.abort());
  // Its failure is told below, unless it was left to go on.
  result.catch(() => undefined);
  let cancelled: Promise<void> = Promise.resolve();
  // A spinner ends the process at a signal that nobody else listens for any more, or that we have just stopped listening for.
  signals.on('SIGINT', goOn);
  try {
    for (let isFirst = true; await isInterrupted(signals, ended.signal); isFirst = false) {
      if (!isFirst)
        throw new FreshetError('cancelled', `${capital(task)} was to be cancelled; its end is not waited for.`);
      if (!isPerson) return null;
      isQuiet = true;
      shown.end();
      const isCancelled = await asksToCancel(task, {input, output}, ended.signal);
      if (ended.signal.aborted) break;
      if (!isCancelled) return null;
      shown.show('Cancelling');
      // Not waited for: while Temporal does not answer, Ctrl-C once more must be heard.
      cancelled = handle.cancel();
      cancelled.catch(() => ended.abort());
    }
    return await Promise.race([result, cancelled.then(() => result)]);
  } finally {
    isQuiet = true;
    signals.off('SIGINT', goOn);
  }
}

/** For a person who has left it: what goes on, and how it is ended. */
export function leftText({task}: Task, workflowId: string): string {
  return `${capital(task)} goes on. It is ended by: temporal workflow cancel --workflow-id ${shellWord(workflowId)}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** For a statement among others: those after it are not run. */
export async function attendedToEnd<Result>(
  handle: Handle<Result>,
  task: Task,
  shown: Progress,
  isJson: boolean,
): Promise<Result> {
  const result = await attended(handle, task, shown, surroundings(isJson));
  if (result === null) throw new FreshetError('cancelled', leftText(task, handle.workflowId));
  return result;
}

function goOn(): void {
  // Whoever waits for the signal hears of it.
}

/** True at the next Ctrl-C; false when it has ended before. */
async function isInterrupted(signals: EventEmitter, ended: AbortSignal): Promise<boolean> {
  if (ended.aborted) return false;
  return await once(signals, 'SIGINT', {signal: ended}).then(
    () => true,
    () => false,
  );
}

/** No answer, by the end of the input, by Ctrl-C once more or because it has ended meanwhile, is none to cancel it. */
async function asksToCancel(
  task: string,
  {input, output}: Pick<Surroundings, 'input' | 'output'>,
  ended: AbortSignal,
): Promise<boolean> {
  const asked = createInterface({input, output});
  const given = new AbortController();
  for (const event of ['SIGINT', 'close']) asked.once(event, () => given.abort());
  try {
    const answer = await asked.question(`Cancel ${task}, or leave it running? [cancel/LEAVE] `, {
      signal: AbortSignal.any([ended, given.signal]),
    });
    return /^\s*c/i.test(answer);
  } catch {
    output.write('\n');
    return false;
  } finally {
    asked.close();
  }
}
