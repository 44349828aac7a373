import {assert} from '../assert.ts';
import type {LakeTable} from '../lake/catalog.ts';
import {changedPast, countAt, isRewrittenSince} from '../lake/feed.ts';
import {isTargetChanged, type Fingerprint, type FingerprintedTarget} from '../lake/fingerprint.ts';
import {groupsAmiss, ownStandings} from '../lake/groups.ts';
import {mostKeysOneByOne} from '../lake/instance.ts';
import {publish} from '../lake/publication.ts';
import type {Written} from '../lake/publication.ts';
import type {Session} from '../lake/session.ts';
import {groupsTable} from '../lake/state.ts';
import type {Published as State} from '../lake/state.ts';
import {lastByOthers} from '../lake/target.ts';
import type {Statement, Target} from '../refresh/apply.ts';
import type {Action} from '../refresh/action.ts';
import type {ApplyInput, Decision, Extraction, Fence, LookUp, Published} from '../refresh/messages.ts';
import {identifier, raw, sql, type Sql} from '../sql.ts';
import type {TableName} from '../table-name.ts';
import type {Program} from '../delta/program.ts';
import type {BoundAt} from './bound-at.ts';
import {keptGroups, type HiddenGroups} from './groups.ts';
import {ofTarget, writes} from '../refresh/apply.ts';
import {tableNamed} from './versions.ts';

export type PublishInput = {
  readonly apply: ApplyInput;
  readonly refreshId: string;
  readonly lookUp: LookUp & {kind: 'refresh'};
  readonly extraction: Extraction;
  readonly decision: Decision;
};

/** Everything one publication works with. */
export type Work = PublishInput & {
  readonly session: Session;
  readonly state: State;
  readonly boundAt: BoundAt;
  readonly target: Target;
  /** The hidden table of groups, where the definition has one. */
  readonly hidden: (HiddenGroups & Target) | null;
  /** False: an attempt to keep the groups has failed. */
  readonly keepsGroups: boolean;
};

/** What the transaction found that makes it give up: thrown through ROLLBACK, answered as a value. */
export class GiveUp extends Error {
  readonly answer: Published;

  constructor(answer: Published) {
    super(answer.kind);
    this.answer = answer;
  }
}

/** How one action writes the target, inside the transaction; `rows` is what the target has afterwards. */
export type Writing = {
  readonly action: Action;
  readonly recomputed: 'none' | 'keys' | 'all';
  readonly fence: Fence;
  /** The table that the rows are written into: the target, or what takes its place. */
  readonly into: TableName;
  /** Whether the hidden table of groups is written too. */
  readonly writesGroups: boolean;
  readonly write: () => Promise<Wrote>;
};

export type Wrote = Written & {
  readonly rows: number;
  /** What is kept of the groups afterwards. */
  readonly groups: Fingerprint['groups'];
  /** Where that turned out only while it was written. */
  readonly recomputed?: Writing['recomputed'];
  /** Rows of groups that have lost what was kept of them. */
  readonly rowsReadAnew?: number;
};

/** One transaction of the lake: every source counted, the rows written, the state row behind its fence. */
export async function carryOut(work: Work, writing: Writing): Promise<Published> {
  const {action, fence, into, writesGroups, write} = writing;
  const {session, state, apply, lookUp, decision, refreshId} = work;
  let counts: ReadonlyMap<string, number> = new Map();
  let written: Wrote = {deleted: 0, inserted: 0, rows: lookUp.rows, groups: undefined};
  const isAnew = action === 'INITIAL' || action === 'REINITIALIZE';
  let target: FingerprintedTarget | undefined;
  const publication = await publish(session, {
    table: state.table,
    groups: writesGroups ? groupsTable(state.table) : null,
    fence,
    refreshId,
    message: `${action} refresh of ${apply.table}`,
    extraInfo: {table: apply.table, dataVersion: lookUp.dataVersion, action, trigger: apply.trigger},
    write: async (asOf) => {
      const own = await ownStandings(session, state, asOf, into);
      const table = own.target.there;
      // Dropped or renamed since: another look says so.
      if (table === null) throw new GiveUp({kind: 'lost'});
      target = {tableId: table.tableId, columns: table.columns, asOf};
      if (action === 'INCREMENTAL' || action === 'NO_DATA') refuseWhatIsForeign(work, table, own);
      counts = await countSources(work, action);
      written = await write();
      return written;
    },
    next: ({deleted, inserted}) => ({
      contents: lookUp.contents + (deleted + inserted > 0 || isAnew ? 1 : 0),
      dataVersion: lookUp.dataVersion,
      rows: written.rows,
      definition: state.definition,
      fingerprint: {
        ...work.boundAt.fingerprint,
        ...(target && {target}),
        ...(written.groups === undefined ? {} : {groups: written.groups}),
      },
      sources: lookUp.sources.map(({source, to, toTime, upstream}) => ({
        source,
        snapshot: to,
        time: toTime,
        rows: counts.get(source) ?? 0,
        upstream,
      })),
    }),
  });
  const recomputed = written.recomputed ?? writing.recomputed;
  const isNothing = action === 'INCREMENTAL' && written.deleted + written.inserted === 0;
  return {
    kind: 'published',
    publication,
    summary: {
      action: isNothing ? 'NO_DATA' : action,
      reason: decision.reason,
      rowsDeleted: written.deleted,
      rowsInserted: written.inserted,
      recomputed,
      rowsScanned: recomputed === 'all' ? sum([...counts.values()]) : rowsRead(work) + (written.rowsReadAnew ?? 0),
      statements: session.takeProfile(),
    },
  };
}

/** What carries the contents on must not carry on what somebody else has written or altered since the look-up. */
function refuseWhatIsForeign(
  {state, hidden}: Work,
  table: LakeTable,
  {target, groups}: Awaited<ReturnType<typeof ownStandings>>,
): void {
  // Another look says what to do about it.
  if (isTargetChanged(state.fingerprint?.target, table)) throw new GiveUp({kind: 'lost'});
  const snapshot = lastByOthers(state, target.history);
  if (snapshot !== null) throw new GiveUp({kind: 'full-instead', reason: {kind: 'target-written', snapshot}});
  const kept = keptGroups(state, hidden);
  const reason = kept === null ? null : groupsAmiss(state, kept, groups);
  if (reason !== null) throw new GiveUp({kind: 'full-instead', reason});
}

/** What an incremental refresh reads: what changed, and the rows below the affected keys. */
function rowsRead({extraction, decision}: Work): number {
  return (
    decision.changedRows + (extraction.kind === 'staged' ? sum(extraction.keys.map(({rowsBelow}) => rowsBelow)) : 0)
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Really counts every source at its `to`, in this transaction. */
async function countSources({session, lookUp, extraction}: Work, action: Action): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const range of lookUp.sources) {
    const {source, to, upstream} = range;
    const found = await countAt(session, tableNamed(source), to);
    counts.set(source, found);
    const readsFeeds = action === 'INCREMENTAL' || action === 'NO_DATA';
    if (!readsFeeds || extraction.kind !== 'staged') {
      // No count says what should be there, so another version is chosen, as the look-up does.
      if (upstream === null && (await isRewrittenSince(session, tableNamed(source), to)))
        throw new GiveUp({kind: 'lost'});
      continue;
    }
    const expected = extraction.sources.find((staged) => staged.source === source)?.rowsTo;
    if (expected !== found) {
      const why = `${source} had ${expected} rows at snapshot ${to} and has ${found} now`;
      throw new GiveUp({kind: 'extract-again', why});
    }
    const reason = await changedPast(session, tableNamed(source), range);
    if (reason !== null) throw new GiveUp({kind: 'full-instead', reason});
  }
  return counts;
}

export async function countTarget({session, target}: Work): Promise<number> {
  return await countRows(session, target.table, 'count the table');
}

export async function countRows(session: Session, table: Sql, label?: string): Promise<number> {
  const [row] = await session.rows<{count: number}>(sql`SELECT count(*) AS count FROM ${table}`, label);
  return row?.count ?? 0;
}

export async function runAll(session: Session, statements: readonly Statement[]): Promise<void> {
  for (const {label, text, ifAny, keysOneByOne} of statements) {
    if (ifAny !== undefined && (await countRows(session, identifier(ifAny))) === 0) continue;
    await lookingForKeys(session, keysOneByOne, () => session.run(text, label));
  }
}

/** The setting is one of the connection, and goes with it where the statement fails. */
async function lookingForKeys(
  session: Session,
  oneByOne: number | undefined,
  work: () => Promise<unknown>,
): Promise<void> {
  if (oneByOne === undefined || oneByOne >= mostKeysOneByOne) {
    await work();
    return;
  }
  await session.run(sql`SET SESSION dynamic_or_filter_threshold = ${oneByOne}`);
  await work();
  await session.run(sql`RESET SESSION dynamic_or_filter_threshold`);
}

/** `stale` and `added` into the target; by row, every row that was to go must have been there. */
export async function writeRows(
  {session}: Pick<Work, 'session'>,
  target: Target,
  root: Program['root']['kind'],
  names = ofTarget,
): Promise<Written> {
  const gone = sql`(SELECT coalesce(-sum(copies), 0)::BIGINT FROM net WHERE copies < 0)`;
  const [counts] = await session.rows<{stale: number; added: number; wanted: number | null}>(
    sql`SELECT (SELECT count(*) FROM ${raw(names.stale)}) AS stale,
      (SELECT coalesce(sum(copies), 0)::BIGINT FROM ${raw(names.added)}) AS added,
      ${root === 'rows' ? gone : sql`NULL`} AS wanted`,
  );
  assert(counts, 'a SELECT of counts has one row');
  const {stale, added, wanted} = counts;
  if (wanted !== null && wanted !== stale) {
    throw new GiveUp({kind: 'full-instead', reason: {kind: 'row-missing', rows: wanted - stale}});
  }
  for (const {label, text} of writes(target, {stale, added}, names)) {
    const changed = await session.run(text, label);
    assert(changed === (label === 'delete' ? stale : added), `${label} wrote as many rows as were counted`);
  }
  return {deleted: stale, inserted: added};
}
