import {createHash} from 'node:crypto';
import type {Bound} from '../binder/bound.ts';
import type {QuerySettings} from '../definition/definition.ts';
import {differentiate} from '../delta/differentiate.ts';
import type {Groups} from '../delta/merge.ts';
import type {Merges} from '../delta/root.ts';
import {keptIn, type FingerprintedGroups} from '../lake/fingerprint.ts';
import type {Published, StoredDefinition} from '../lake/state.ts';

/** What a hidden table is to hold of a definition's groups. */
export type HiddenGroups = {
  readonly groups: Groups;
  /** Whether the result has a row for each group. */
  readonly showsAll: boolean;
  /** Whether a change that is merged makes nothing be recomputed below. */
  readonly readsChangesOnly: boolean;
  /** Hash of what the columns are: a table that was filled by another reading of the query is of no use. */
  readonly meaning: string;
};

/** Null: none is needed, or its changes are never merged. */
export function hiddenGroupsOf({reading}: Bound, {options, settings}: StoredDefinition): HiddenGroups | null {
  if (reading.kind === 'full' || options.refreshMode === 'FULL' || !mayMerge(settings)) return null;
  const delta = differentiate(reading.relation, () => true);
  if (delta.kind !== 'delta' || delta.program.root.kind !== 'merge') return null;
  const {steps, root} = delta.program;
  if (root.stored !== null) return null;
  const readsChangesOnly = steps.every(({reads}) => reads.length === 0);
  return {groups: root.groups, showsAll: root.showsAll, readsChangesOnly, meaning: meaningOf(root.groups)};
}

/** Into what changes may be merged, as the last publication left the table. */
export function mergesOf(state: Published, hidden: HiddenGroups | null): Merges {
  if (!mayMerge(state.definition.settings)) return 'none';
  return keptGroups(state, hidden) === null ? 'shown' : 'hidden';
}

/** What the last publication left in the hidden table, if it is of use. */
export function keptGroups({fingerprint}: Published, hidden: HiddenGroups | null): FingerprintedGroups | null {
  const groups = keptIn(fingerprint);
  return groups !== null && groups.meaning === hidden?.meaning ? groups : null;
}

/** Under a collation different texts are one key. */
function mayMerge({defaultCollation}: QuerySettings): boolean {
  return defaultCollation === '';
}

/** Ids are numbered anew, for they differ from one reading of the same query to the next. */
function meaningOf({relation}: Groups): string {
  const places = new Map<unknown, number>();
  const text = JSON.stringify(relation, (name, value: unknown) => {
    if (name !== 'id') return value;
    if (!places.has(value)) places.set(value, places.size);
    return places.get(value);
  });
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
