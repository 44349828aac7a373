import type {TargetLag} from './definition.ts';

const secondsPer = {second: 1, minute: 60, hour: 3_600, day: 86_400, week: 604_800} as const;

type Unit = keyof typeof secondsPer;

const unitOf: Readonly<Record<string, Unit>> = {
  ...{s: 'second', sec: 'second', secs: 'second', second: 'second', seconds: 'second'},
  ...{m: 'minute', min: 'minute', mins: 'minute', minute: 'minute', minutes: 'minute'},
  ...{h: 'hour', hr: 'hour', hrs: 'hour', hour: 'hour', hours: 'hour'},
  ...{d: 'day', day: 'day', days: 'day', w: 'week', week: 'week', weeks: 'week'},
};

/** No lag is shorter: a refresh takes about a tenth of a second, and the shortest period is half a lag. */
export const shortestLagSeconds = 10;

/** What is to be fresh once in ten years is no concern of a schedule: more days are a slip of the pen. */
export const longestLagDays = 3_650;

export function isLag(seconds: number): boolean {
  return seconds >= shortestLagSeconds && seconds <= longestLagDays * secondsPer.day;
}

const shortestPeriodSeconds = 5;
const longestPeriodSeconds = shortestPeriodSeconds * 2 ** 16;
/** A table without a lag of its own looks now and then whether it has been forgotten. */
const downstreamPeriodSeconds = shortestPeriodSeconds * 2 ** 10;

/** Seconds in `5 minutes`, `90 s`, `1 hour 30 minutes`; null when it is no span of whole seconds. */
export function parseLagSeconds(text: string): number | null {
  const part = /\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*/iy;
  let seconds = 0;
  let end = 0;
  while (end < text.length || end === 0) {
    const [, count, written] = part.exec(text) ?? [];
    const unit = written === undefined ? undefined : unitOf[written.toLowerCase()];
    if (unit === undefined) return null;
    seconds += Number(count) * secondsPer[unit];
    end = part.lastIndex;
  }
  return Number.isSafeInteger(seconds) ? seconds : null;
}

/** As it is written after `TARGET_LAG =`, without quotes: `5 minutes`, `DOWNSTREAM`. */
export function targetLagText(lag: TargetLag): string {
  if (lag.kind === 'downstream') return 'DOWNSTREAM';
  const units: readonly Unit[] = ['week', 'day', 'hour', 'minute', 'second'];
  const unit = units.find((each) => lag.seconds % secondsPer[each] === 0) ?? 'second';
  const count = lag.seconds / secondsPer[unit];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/**
 * How often a table is looked at: 5 s · 2ⁿ, the largest that is at most half its lag. Periods divide one another, so that
 * tables of different lags meet on common rungs and read one snapshot there.
 */
export function periodSeconds(lag: TargetLag): number {
  if (lag.kind === 'downstream') return downstreamPeriodSeconds;
  let period = shortestPeriodSeconds;
  while (period * 4 <= lag.seconds && period < longestPeriodSeconds) period *= 2;
  return period;
}
