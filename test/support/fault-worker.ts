import type {Stack} from './stack.ts';
import {aWorkerProcess, type WorkerProcess} from './worker-process.ts';

/** A worker process that can be told to die, or to stand still, before any of its statements; see `fault-switch.mjs`. */
export type FaultWorker = WorkerProcess & {
  /** It polls only from here on: until then it is ready, and costs nothing. */
  readonly begin: () => void;
  /** Counts statements from now on, and dies right before the n-th. */
  readonly dieBefore: (n: number) => void;
  /** The next statement whose text, with its activity before it, matches waits for `release`; resolves when it does. */
  readonly holdBefore: (pattern: string) => Promise<unknown>;
  readonly release: () => void;
  /** Counts and tells statements from now on. */
  readonly watch: () => void;
  /** The statement that it told of last. */
  readonly lastStatement: () => {readonly number: number; readonly activity: string; readonly text: string} | null;
};

const faultSwitch = new URL('./fault-switch.mjs', import.meta.url).href;

export function aFaultWorker(
  stack: Pick<Stack, 'config' | 'options'>,
  more: Readonly<Record<string, string>> = {},
): FaultWorker {
  const worker = aWorkerProcess(stack, {NODE_OPTIONS: `--import=${faultSwitch}`, ...more});
  return {
    ...worker,
    begin: () => worker.send({go: true}),
    dieBefore: (n) => worker.send({killAt: n}),
    holdBefore: (pattern) => {
      const held = worker.answer();
      worker.send({holdAt: pattern});
      return held;
    },
    release: () => worker.send({release: true}),
    watch: () => worker.send({killAt: Number.MAX_SAFE_INTEGER}),
    lastStatement: () => {
      const [, number, activity = '', text = ''] =
        [...worker.log().matchAll(/^statement (\d+) (\S+): (.*)$/gm)].at(-1) ?? [];
      return number === undefined ? null : {number: Number(number), activity, text};
    },
  };
}
