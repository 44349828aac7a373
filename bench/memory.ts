export type MemoryWatch = {
  /** The most that this process has held since the watch began. */
  readonly peakMiB: () => number;
  readonly stop: () => void;
};

const everyMs = 50;

/** Looks now and then: the system's own figure would be the generator's, which needs more than all that comes after it. */
export function watchMemory(): MemoryWatch {
  let peak = 0;
  const look = (): void => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  look();
  const timer = setInterval(look, everyMs);
  return {peakMiB: () => Math.round(peak / 1024 ** 2), stop: () => clearInterval(timer)};
}
