import {open} from 'node:fs/promises';
import type {Outcome} from './outcome.ts';

export type Output = AsyncDisposable & {
  /** Outcomes may come in any order; their lines stand in the order of `index`, each as soon as those before it are there. */
  readonly write: (index: number, outcome: Outcome) => Promise<void>;
};

export async function openOutput(file: string): Promise<Output> {
  const handle = await open(file, 'w');
  const waiting = new Map<number, string>();
  let next = 0;
  let writing = Promise.resolve();
  const flush = async (): Promise<void> => {
    for (let line = waiting.get(next); line !== undefined; line = waiting.get(next)) {
      waiting.delete(next++);
      await handle.write(line);
    }
  };
  return {
    write: async (index, outcome) => {
      waiting.set(index, `${JSON.stringify(outcome)}\n`);
      writing = writing.then(flush);
      await writing;
    },
    [Symbol.asyncDispose]: async () => await handle.close(),
  };
}
