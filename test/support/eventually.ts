import {setTimeout as delay} from 'node:timers/promises';

/** Asks until the answer is the one that was waited for; the test's own time limit ends it. */
export async function eventually<T>(ask: () => Promise<T>, isIt: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isIt(answer)) return answer;
    await delay(50);
  }
}
