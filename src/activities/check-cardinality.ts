import {choose} from '../refresh/choose.ts';
import type {Decision, Extraction, LookUp} from '../refresh/messages.ts';

/** Decides from counts alone how to refresh. An activity of its own, so that the decision stands in the run's history. */
export function checkCardinality(input: {
  readonly lookUp: LookUp & {kind: 'refresh'};
  readonly extraction: Extraction;
}): Promise<Decision> {
  return Promise.resolve(choose(input.lookUp, input.extraction));
}
