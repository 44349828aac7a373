import {mapInputs} from '../relation.ts';
import type {Relation, Scan} from '../relation.ts';

/** The same relation with every table read at one end of the refresh. */
export function at(end: Scan['at'], relation: Relation): Relation {
  return relation.kind === 'scan' ? {...relation, at: end} : mapInputs(relation, (input) => at(end, input));
}
