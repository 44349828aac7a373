import {distance} from 'fastest-levenshtein';

/** The candidate that was probably meant, letter case aside; none when all are too far from what was written. */
export function nearest(written: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.floor(written.length / 3) + 1;
  for (const candidate of candidates) {
    const far = distance(written.toLowerCase(), candidate.toLowerCase());
    if (far < bestDistance || (far === bestDistance && best === undefined)) {
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
