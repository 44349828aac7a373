import {transitiveUpstreamsOf, upstreamsOf, type Node} from '../graph/edges.ts';
import {currentSnapshot, missingSnapshot, snapshotTime, tableAt, tableHistory} from '../lake/catalog.ts';
import {compareFingerprints} from '../lake/fingerprint.ts';
import type {Lake} from '../lake/lake.ts';
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
  for (const name of [...transitiveUpstreamsOf(table, nodes), table]) {
    const state = states.get(name);
    if (state === undefined || state.dataVersion === null) return false;
    const upstreams = upstreamsOf(name, nodes);
    if (!hasTakenIn(state, upstreams, states)) return false;
    if (!(await lake.look((session) => isUntouched(session, state, upstreams, v)))) return false;
    if (!(await meansTheSame(lake, state, upstreams, states, v))) return false;
  }
  return true;
}

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

/** No base table has changed since it was consumed, up to `v`; nobody has written the target since it was published. */
async function isUntouched(
  session: Session,
  state: Published,
  upstreams: readonly string[],
  v: number,
): Promise<boolean> {
  for (const {source, snapshot, time} of state.sources) {
    if (upstreams.includes(source)) continue;
    if (!(await isTold(session, snapshot, time, v)) || (await hasChanged(session, source, snapshot, v))) return false;
  }
  const {id} = await currentSnapshot(session);
  const target = await tableAt(session, state.table, id);
  if (target === null || target.tableId !== state.fingerprint?.target?.tableId) return false;
  const from = unaccountedFrom(state);
  if ((await missingSnapshot(session, from, id)) !== null) return false;
  return !(await wasWritten(session, target.tableId, from - 1, id, state.snapshot));
}

/** Whether the log of changes still has every snapshot from the one consumed up to `v`, and that one is the same. */
async function isTold(session: Session, from: number, time: string, v: number): Promise<boolean> {
  return (
    from > v || ((await missingSnapshot(session, from, v)) === null && (await snapshotTime(session, from)) === time)
  );
}

async function hasChanged(session: Session, source: string, from: number, to: number): Promise<boolean> {
  if (from > to) return true;
  const table = await tableAt(session, tableNamed(source), to);
  return table === null || (await wasWritten(session, table.tableId, from, to));
}

async function wasWritten(
  session: Session,
  tableId: number,
  from: number,
  to: number,
  except?: number,
): Promise<boolean> {
  const history = await tableHistory(session, tableId, from, to);
  return history.some(
    ({snapshot, inserts, deletes, altered, dropped}) =>
      snapshot !== except && (inserts || deletes || altered || dropped),
  );
}

/** The query, read at `v`, reaches the same tables, columns, views and macros; and it has a value at a snapshot. */
async function meansTheSame(
  lake: Lake,
  state: Published,
  upstreams: readonly string[],
  states: States,
  v: number,
): Promise<boolean> {
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
