import {once, type EventEmitter} from 'node:events';
import {createInterface} from 'node:readline/promises';
import type {RefreshHandle} from '../client.ts';
import type {RefreshResult} from '../refresh/messages.ts';
import {finished} from './finished.ts';
import type {Progress} from './progress.ts';

/** Who is told of Ctrl-C and may be asked; `isPerson`: somebody sits there, it is no pipe. */
export type Surroundings = {
  readonly signals: EventEmitter;
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly isPerson: boolean;
};

/**
 * Waits for a refresh like `finished`. Ctrl-C does not end it, for it goes on elsewhere: a person is asked whether to cancel it,
 * and hears of it until it has ended. Null: it was left to go on, by a person's answer, by Ctrl-C once more, or in a pipe.
 */
export async function attended(
  handle: RefreshHandle,
  shown: Progress,
  surroundings: Surroundings,
): Promise<RefreshResult | null> {
  let isQuiet = false;
  const ended = new AbortController();
  const result = finished(handle, (text, work) => {
    if (!isQuiet) shown.show(text, work);
  }).finally(() => ended.abort());
  // Its failure is told below, unless it was left to go on.
  result.catch(() => undefined);
  // A spinner ends the process at a signal that nobody else listens for any more, or that we have just stopped listening for.
  surroundings.signals.on('SIGINT', goOn);
  try {
    for (let isFirst = true; await isInterrupted(surroundings, ended.signal); isFirst = false) {
      if (!surroundings.isPerson || !isFirst) return null;
      isQuiet = true;
      shown.end();
      const isCancelled = await asksToCancel(surroundings, ended.signal);
      if (ended.signal.aborted) break;
      if (!isCancelled) return null;
      await handle.cancel();
      shown.show('Cancelling');
    }
    return await result;
  } finally {
    isQuiet = true;
    surroundings.signals.off('SIGINT', goOn);
  }
}

function goOn(): void {
  // Whoever waits for the signal hears of it.
}

/** True at the next Ctrl-C; false when it has ended before. */
async function isInterrupted({signals}: Surroundings, ended: AbortSignal): Promise<boolean> {
  if (ended.aborted) return false;
  return await once(signals, 'SIGINT', {signal: ended}).then(
    () => true,
    () => false,
  );
}

const question = 'Cancel the refresh, or leave it running? [cancel/LEAVE] ';

/** No answer, by the end of the input, by Ctrl-C once more or because it has ended meanwhile, is none to cancel it. */
async function asksToCancel({input, output}: Surroundings, ended: AbortSignal): Promise<boolean> {
  const asked = createInterface({input, output});
  const given = new AbortController();
  for (const event of ['SIGINT', 'close']) asked.once(event, () => given.abort());
  try {
    const answer = await asked.question(question, {signal: AbortSignal.any([ended, given.signal])});
    return /^\s*c/i.test(answer);
  } catch {
    output.write('\n');
    return false;
  } finally {
    asked.close();
  }
}
