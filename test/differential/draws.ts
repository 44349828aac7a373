/**
 * A source of choices that remembers them. What is generated depends on nothing else, so a failure is made smaller by
 * replaying a shorter or smaller list of choices: 0 is always the plainest one, and a list that has ended goes on with 0.
 */
export class Draws {
  readonly taken: number[] = [];
  readonly #next: () => number;

  private constructor(next: () => number) {
    this.#next = next;
  }

  static seeded(seed: number): Draws {
    return new Draws(random(seed));
  }

  static replayed(choices: readonly number[]): Draws {
    let i = 0;
    return new Draws(() => choices[i++] ?? 0);
  }

  /** 0 … n − 1. */
  below(n: number): number {
    const choice = this.#next() % n;
    this.taken.push(choice);
    return choice;
  }

  /** True in `percent` of the draws; false is the plain choice. */
  chance(percent: number): boolean {
    return this.below(100) >= 100 - percent;
  }

  one<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  }

  /** One of several, with weights; the first is the plain choice. */
  weighted<T>(items: readonly (readonly [weight: number, item: T])[]): T {
    let left = this.below(items.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, item] of items) {
      if (left < weight) return item;
      left -= weight;
    }
    throw new Error('nothing to choose from');
  }

  /** `least` to `most` things; each one over the least is announced by a choice of its own, so it can be cut out whole. */
  many<T>(least: number, most: number, make: (i: number) => T, percent = 60): T[] {
    const made: T[] = [];
    while (made.length < least || (made.length < most && this.chance(percent))) made.push(make(made.length));
    return made;
  }
}

/** Mulberry32: small, and the same on every machine. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}
