import {distance} from 'fastest-levenshtein';

/** The candidate that was probably meant, letter case aside; none when all are too far from what was written. */
export function nearest(written: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const far = howFar(written.toLowerCase(), candidate.toLowerCase());
    if (far < bestDistance) {
      best = candidate;
      bestDistance = far;
    }
  }
  return best;
}

/** `Did you mean "region"?`, or nothing. */
export function didYouMean(written: string, candidates: Iterable<string>): string | undefined {
  const candidate = nearest(written, candidates);
  return candidate === undefined ? undefined : `Did you mean "${candidate}"?`;
}

/** Fewer letters are the beginning of too much. */
const shortestBeginning = 3;

/**
 * Few mistyped letters for the length of a name come first, then the same name in another schema, then one mistyped there, then
 * a name that was not written to its end; all else is too far.
 */
function howFar(written: string, candidate: string): number {
  const name = withoutSchema(written);
  // All letters of a name are never mistyped: of one letter there is nothing near.
  const few = Math.min(Math.max(1, Math.floor(name.length / 3)), name.length - 1);
  const mistyped = distance(written, candidate);
  if (mistyped <= few) return mistyped;
  const elsewhere = distance(name, withoutSchema(candidate));
  if (elsewhere <= few) return few + 1 + elsewhere;
  if (name.length >= shortestBeginning && candidate.startsWith(written)) return 2 * few + 2;
  return Infinity;
}

function withoutSchema(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}
