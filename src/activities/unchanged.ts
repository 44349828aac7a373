import {transitiveUpstreamsOf, upstreamsOf, type Node} from '../graph/edges.ts';
import {currentSnapshot} from '../lake/catalog.ts';
import type {SnapshotChange} from '../lake/changes-made.ts';
import {compareFingerprints} from '../lake/fingerprint.ts';
import type {Lake} from '../lake/lake.ts';
import {pastsOf, type Past} from '../lake/past.ts';
import {publicationOf} from '../lake/publication.ts';
import type {Session} from '../lake/session.ts';
import type {Published} from '../lake/state.ts';
import {unaccountedFrom} from '../lake/target.ts';
import type {Publication} from '../refresh/messages.ts';
import {boundAt} from './bound-at.ts';
import {tableNamed, versionsOf} from './versions.ts';

/** The state rows of a table and of all dynamic tables below it, by name. */
export type States = ReadonlyMap<string, Published>;

/**
 * Whether the contents of `table` answer for version `v` as they are, although `v` is newer than what they were made for: no
 * base table below has changed, every table on the way has taken in what the ones below it hold now, what the queries mean is
 * the same, and nobody but us has written any of them. Then nothing needs to be written to the lake.
 */
export async function isUnchanged(
  lake: Lake,
  table: string,
  nodes: readonly Node[],
  states: States,
  v: number,
): Promise<boolean> {
  const tables: Known[] = [];
  for (const name of [...transitiveUpstreamsOf(table, nodes), table]) {
    const state = states.get(name);
    if (state === undefined || state.dataVersion === null) return false;
    const upstreams = upstreamsOf(name, nodes);
    if (!hasTakenIn(state, upstreams, states)) return false;
    tables.push({state, upstreams});
  }
  const untouched = await lake.look((session) => session.transaction(() => areUntouched(session, tables, v)));
  if (!untouched) return false;
  for (const known of tables) if (!(await meansTheSame(lake, known, states, v))) return false;
  return true;
}

/** A table with contents, and the dynamic tables that it reads. */
type Known = {readonly state: Published; readonly upstreams: readonly string[]};

/** How far the snapshots that a table has taken in may lie behind, while nothing changes, until it moves on. */
const idleSnapshots = 1_000;
const idleHours = 24;

/**
 * A table that nothing has changed for long publishes its state row alone: else what it has taken in would keep snapshots from
 * being expired, or be expired, and whether anything has changed since would cost ever more to find out.
 */
export function isLeftBehind(
  {snapshot, sources}: Pick<Published, 'snapshot' | 'sources'>,
  v: number,
  now: number,
): boolean {
  const taken = [snapshot, ...sources.map((source) => source.snapshot)];
  const oldest = sources.reduce((time, source) => Math.min(time, Date.parse(source.time)), now);
  return v - Math.min(...taken) > idleSnapshots || (v > Math.min(...taken) && now - oldest > idleHours * 3_600_000);
}

/** Along every edge, the contents of the upstream table are the ones that were consumed. */
function hasTakenIn({sources}: Published, upstreams: readonly string[], states: States): boolean {
  return upstreams.every((name) => {
    const consumed = sources.find(({source}) => source === name)?.upstream;
    const now = states.get(name);
    return consumed?.incarnation === now?.incarnation && consumed?.contents === now?.contents;
  });
}

/** No base table has changed since it was consumed, up to `v`; nobody has written a target since it was published. */
async function areUntouched(session: Session, tables: readonly Known[], v: number): Promise<boolean> {
  const {id: now} = await currentSnapshot(session);
  const sources = tables.flatMap(({state, upstreams}) =>
    state.sources
      .filter(({source}) => !upstreams.includes(source))
      .map(({source, snapshot, time}) => ({table: tableNamed(source), from: snapshot, to: v, time})),
  );
  if (sources.some(({from}) => from > v)) return false;
  const targets = tables.map(({state}) => ({table: state.table, from: unaccountedFrom(state), to: now, state}));
  const pasts = await pastsOf(session, [...targets, ...sources], now);
  return (
    targets.every(({state}, i) => isAsPublished(state, pasts[i]!)) && // One for each.
    sources.every(({from, time}, i) => isAsConsumed(pasts[targets.length + i]!, from, time, v))
  );
}

function isAsPublished(state: Published, {there, stretch, history}: Past): boolean {
  const writes = history.filter(({snapshot}) => snapshot >= unaccountedFrom(state) && snapshot !== state.snapshot);
  return (
    there !== null &&
    there.tableId === state.fingerprint?.target?.tableId &&
    stretch.missing === null &&
    !writes.some(isWrite)
  );
}

/** The log of changes still has every snapshot from the one consumed up to `v`, that one is the same, and none changed anything. */
function isAsConsumed({there, stretch, history}: Past, from: number, time: string, v: number): boolean {
  const since = history.filter(({snapshot}) => snapshot > from && snapshot <= v);
  return there !== null && stretch.missing === null && stretch.fromTime === time && !since.some(isWrite);
}

function isWrite({inserts, deletes, altered, dropped}: SnapshotChange): boolean {
  return inserts || deletes || altered || dropped;
}

/** The query, read at `v`, reaches the same tables, columns, views and macros; and it has a value at a snapshot. */
async function meansTheSame(lake: Lake, {state, upstreams}: Known, states: States, v: number): Promise<boolean> {
  if (state.fingerprint === null) return false;
  const {bound, fingerprint} = await boundAt(
    lake,
    state.definition,
    versionsOf({dataVersion: v, upstreams: publications(upstreams, states)}),
  );
  return bound.volatileFunctions.length === 0 && compareFingerprints(state.fingerprint, fingerprint) === null;
}

/** What the tables named hold, as far as they have contents. */
export function publications(names: readonly string[], states: States): Record<string, Publication> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const state = states.get(name);
      return state === undefined || state.dataVersion === null ? [] : [[name, publicationOf(state)]];
    }),
  );
}
