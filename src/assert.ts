/** Ends with an error when what we took for granted does not hold: a bug of ours, never the user's mistake. */
export function assert(condition: unknown, why: string): asserts condition {
  if (!condition) throw new Error(`Bug in Freshet: ${why}`);
}

/** The end of a `switch` over a closed union: a kind without a case is a type error here. */
export function unreachable(value: never): never {
  throw new Error(`Bug in Freshet: no case for ${JSON.stringify(value)}`);
}
