import type {QuerySettings} from '../definition/definition.ts';
import type {Instance} from './instance.ts';
import type {Session} from './session.ts';

/** A few instances, each used by one piece of work at a time and kept for the next that wants the same settings. */
export type Pool = {
  readonly use: <T>(
    settings: QuerySettings,
    work: (session: Session) => Promise<T>,
    signal?: AbortSignal,
  ) => Promise<T>;
  readonly close: () => void;
};

export function openPool(slots: number, open: (settings: QuerySettings) => Promise<Instance>): Pool {
  const idle: Instance[] = [];
  const waiting: (() => void)[] = [];
  let busy = 0;
  let isClosed = false;

  async function enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (busy < slots) {
      busy += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const go = () => {
        signal?.removeEventListener('abort', give);
        resolve();
      };
      const give = () => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(signal?.reason as Error);
      };
      waiting.push(go);
      signal?.addEventListener('abort', give, {once: true});
    });
  }

  /** The slot goes to whoever waits longest. */
  function leave(): void {
    const next = waiting.shift();
    if (next) next();
    else busy -= 1;
  }

  async function take(settings: QuerySettings): Promise<Instance> {
    const key = JSON.stringify(settings);
    const same = idle.findIndex((instance) => JSON.stringify(instance.query) === key);
    if (same >= 0) return idle.splice(same, 1)[0]!; // Just found.
    // Never more instances than slots, for each has its share of the memory.
    if (busy + idle.length > slots) idle.shift()?.close();
    return await open(settings);
  }

  async function putBack(instance: Instance): Promise<void> {
    if (!isClosed && !instance.isBroken) {
      try {
        await instance.clean();
        idle.push(instance);
        return;
      } catch {
        // What can't be cleaned is not used again.
      }
    }
    instance.close();
  }

  return {
    use: async (settings, work, signal) => {
      await enter(signal);
      try {
        const instance = await take(settings);
        try {
          return await instance.use(work, signal);
        } finally {
          await putBack(instance);
        }
      } finally {
        leave();
      }
    },
    close: () => {
      isClosed = true;
      for (const instance of idle.splice(0)) instance.close();
    },
  };
}
