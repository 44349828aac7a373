import {assert} from '../assert.ts';
import {differentiate} from '../delta/differentiate.ts';
import type {Reason} from '../delta/reason.ts';
import type {Bound} from '../binder/bound.ts';
import {contentsKept, FreshetError} from '../errors.ts';
import {currentSnapshot, type LakeTable} from '../lake/catalog.ts';
import {feedParts, isRewritten} from '../lake/feed.ts';
import {isLakeError} from '../lake/errors.ts';
import {compareFingerprints, isTargetChanged, type FingerprintedGroups} from '../lake/fingerprint.ts';
import {groupsAmiss} from '../lake/groups.ts';
import type {Lake} from '../lake/lake.ts';
import {damageOf} from '../lake/maintenance.ts';
import {pastsOf, type Past} from '../lake/past.ts';
import {isReadable, publicationOf} from '../lake/publication.ts';
import type {Session} from '../lake/session.ts';
import {groupsTable, readState, readThere} from '../lake/state.ts';
import type {Published, StoredSource} from '../lake/state.ts';
import {lastByOthers, unaccountedFrom} from '../lake/target.ts';
import type {ApplyInput, LookUp, SourceRange} from '../refresh/messages.ts';
import {tableNameText} from '../table-name.ts';
import type {TableName} from '../table-name.ts';
import {boundAt} from './bound-at.ts';
import {hiddenGroupsOf, keptGroups} from './groups.ts';
import type {BoundAt} from './bound-at.ts';
import {tableNamed, versionsOf} from './versions.ts';

/** What a refresh works with, whoever runs it: Temporal's activity, the scenario runner, a test. */
export type RefreshContext = {readonly lake: Lake; readonly signal?: AbortSignal | undefined};

type Forced = (LookUp & {kind: 'refresh'})['forced'];

/**
 * Reads, in one transaction of the lake, all that the refresh depends on: the fence, what was consumed of each source, where each
 * is to be read now, and whether its feed can be trusted to tell the difference. It is passed on by value, so a retry of a later
 * step means the same as the first try.
 */
export async function lookUpSnapshots(
  {lake, signal}: RefreshContext,
  {apply}: {readonly apply: ApplyInput},
): Promise<LookUp> {
  const table = tableNamed(apply.table);
  const unknown = new FreshetError('unknown_dynamic_table', `There is no dynamic table ${apply.table}`);
  const lookAt = async (session: Session): Promise<LookUp> => {
    const {id: now} = await currentSnapshot(session);
    const state = await readThere(session, table);
    if (state === null) throw unknown;
    // Binding looks at snapshots that were before, and has sessions of its own.
    const bound = await boundAt(lake, state.definition, versionsOf(apply), signal);
    return await look(session, state, apply, bound, now);
  };
  try {
    return await lake.look((session) => session.transaction(() => lookAt(session)), signal);
  } catch (error) {
    const isGone =
      isLakeError(error, 'statement') && (await lake.look((session) => readState(session, table))) === null;
    throw isGone ? unknown : error;
  }
}

async function look(
  session: Session,
  state: Published,
  apply: ApplyInput,
  boundAt: BoundAt,
  now: number,
): Promise<LookUp> {
  const {dataVersion} = apply;
  const {bound} = boundAt;
  if (state.dataVersion !== null && state.dataVersion > dataVersion)
    return {kind: 'ahead', dataVersion: state.dataVersion};
  const kept = keptGroups(state, hiddenGroupsOf(bound, state.definition));
  const {target, groups, pasts} = await readPasts(session, state, bound, apply, now);
  const sources: SourceRange[] = [];
  for (const past of pasts) {
    const range = await rangeOf(session, past, apply, now);
    // Its rows at the version asked for may be doubled; what the lake shows now is right.
    if (range === null) return {kind: 'ahead', dataVersion: now};
    sources.push(range);
  }
  const isUnchanged = sources.every(({parts}) => parts.length === 0);
  const forced =
    firstRefresh(state, bound, target.there) ??
    reinitialized(state, boundAt, sources, target.there) ??
    untrusted(state, target, pasts) ??
    (apply.full ? await requested(session, state) : null) ??
    (isUnchanged && bound.volatileFunctions.length === 0
      ? null
      : (notIncremental(state, bound) ?? untrustedGroups(state, kept, groups)));
  if (forced === null && isUnchanged && state.dataVersion === dataVersion) {
    return {kind: 'current', publication: publicationOf(state)};
  }
  const {incarnation, generation, contents, rows} = state;
  return {kind: 'refresh', dataVersion, fence: {incarnation, generation}, contents, rows, sources, forced};
}

/** A source at the version asked for, and its past since it was taken in. */
type SourcePast = Past & {
  readonly source: string;
  readonly table: TableName;
  readonly to: number;
  readonly before: StoredSource | undefined;
};

/** The table's own past since it was published, that of what is kept of its groups, and those of its sources. */
async function readPasts(
  session: Session,
  state: Published,
  {sources}: Bound,
  apply: ApplyInput,
  now: number,
): Promise<{target: Past; groups: Past; pasts: readonly SourcePast[]}> {
  const {snapshotOf} = versionsOf(apply);
  const wanted = sources.map(({table}) => {
    const source = tableNameText(table);
    const to = snapshotOf(table);
    const before = state.sources.find((candidate) => candidate.source === source);
    return {source, table, before, from: Math.min(before?.snapshot ?? to, to), to};
  });
  const own = [state.table, groupsTable(state.table)].map((table) => ({table, from: unaccountedFrom(state), to: now}));
  const [target, groups, ...pasts] = await pastsOf(session, [...own, ...wanted], now);
  assert(target && groups, 'they were asked for');
  return {target, groups, pasts: pasts.map((past, i) => ({...wanted[i]!, ...past}))}; // One for each.
}

/** Asked for a full refresh: the moment to look whether the table itself is whole, which costs a scan without columns. */
async function requested(session: Session, {table}: Published): Promise<Forced> {
  // Beside: what fails in a transaction fails all of it.
  if (!(await session.beside((next) => isReadable(next, table))))
    return {action: 'REINITIALIZE', reason: {kind: 'target-files-lost'}};
  const damage = await damageOf(session, table);
  if (damage !== null) return {action: 'REINITIALIZE', reason: {kind: 'target-count-mismatch', ...damage}};
  return {action: 'FULL', reason: {kind: 'requested'}};
}

/**
 * What of a source is to be taken in; null when its files were rewritten since `to`, unless they are our own: a flush after that may
 * double rows there.
 */
async function rangeOf(
  session: Session,
  {source, table, to, before, there, stretch, history}: SourcePast,
  apply: ApplyInput,
  now: number,
): Promise<SourceRange | null> {
  const {toTime} = stretch;
  const upstream = Object.entries(apply.upstreams).find(([name]) => name.toLowerCase() === source.toLowerCase())?.[1];
  if (toTime === null)
    throw new FreshetError('source_changed', `Snapshot ${to} has been expired before ${source} could be read at it`);
  if (there === null) throw new FreshetError('unknown_source', `Source ${source} is not in the lake at snapshot ${to}`);
  if (before === undefined && upstream === undefined) await refuseUnknownUpstream(session, table, apply.table);
  const from = before?.snapshot ?? null;
  if (upstream === undefined && isRewritten(history, to, now)) return null;
  return {
    source,
    from,
    to,
    toTime,
    rowsFrom: before?.rows ?? null,
    parts: from === null ? [] : feedParts(history, from, to),
    isRewritten: from !== null && isRewritten(history, from, to),
    upstream: upstream === undefined ? null : {incarnation: upstream.incarnation, contents: upstream.contents},
  };
}

/**
 * A view that was replaced may lead to another dynamic table than the graph knows, to the table itself even: it would not be
 * refreshed first, and might be dropped, or grow with every refresh.
 */
async function refuseUnknownUpstream(session: Session, source: TableName, reader: string): Promise<void> {
  if ((await readState(session, source)) === null) return;
  const name = tableNameText(source);
  const what = name === reader ? 'itself' : `dynamic table ${name}`;
  throw new FreshetError('source_changed', `By a view or macro that was replaced, ${reader} would read ${what} now.`, {
    hint: `${contentsKept} Put the view or macro back, or give the table another query by CREATE OR REPLACE.`,
  });
}

/** Into the table that CREATE has made; a query that was replaced before that may want another. */
function firstRefresh(state: Published, bound: Bound, target: LakeTable | null): Forced {
  const isFirst = state.dataVersion === null && target !== null && isShaped(target, bound);
  return isFirst ? {action: 'INITIAL', reason: {kind: 'first-refresh'}} : null;
}

/** Whether the table has the columns of the result. */
function isShaped({columns}: LakeTable, {outputs}: Bound): boolean {
  return (
    columns.length === outputs.length &&
    outputs.every(({name, storedType}, i) => columns[i]?.name === name && columns[i].type === storedType)
  );
}

/** What the table means has changed, or the table itself is not what we left: it begins anew. */
function reinitialized(
  state: Published,
  boundAt: BoundAt,
  sources: readonly SourceRange[],
  target: LakeTable | null,
): Forced {
  const {bound} = boundAt;
  const anew = (reason: Reason): Forced => ({action: 'REINITIALIZE', reason});
  if (state.fingerprint === null || (state.sources.length === 0 && bound.sources.length > 0))
    return anew({kind: 'definition-changed', detail: 'by a statement'});
  const reason = compareFingerprints(state.fingerprint, boundAt.fingerprint);
  if (reason?.kind !== 'view-changed') refuseLostColumn(state, boundAt);
  if (reason !== null) return anew(reason);
  for (const {source, upstream} of sources) {
    const before = state.sources.find((candidate) => candidate.source === source);
    if (before === undefined) return anew({kind: 'definition-changed', detail: `it reads ${source} now`});
    if (before.upstream?.incarnation !== upstream?.incarnation) return anew({kind: 'upstream-recreated', source});
  }
  if (target === null) return anew({kind: 'definition-changed', detail: 'the table was dropped'});
  if (!isShaped(target, bound)) return anew({kind: 'definition-changed', detail: 'the columns of the result'});
  const isOther = isTargetChanged(state.fingerprint?.target, target);
  return isOther
    ? anew({kind: 'definition-changed', detail: 'somebody else altered or replaced the table itself'})
    : null;
}

/** A column of a source that is gone took one of the result's with it, by way of a `*`: nobody asked for that. */
function refuseLostColumn({fingerprint}: Published, {bound, gone}: BoundAt): void {
  const [lost] = gone;
  const names = new Set(bound.outputs.map(({name}) => name.toLowerCase()));
  const isWhole = fingerprint?.target?.columns.every(({name}) => names.has(name.toLowerCase())) ?? true;
  if (lost === undefined || isWhole) return;
  throw new FreshetError(
    'source_changed',
    `${tableNameText(lost.table)} has no column "${lost.column}" any more, and without it the result would lose a column.`,
    {hint: `${contentsKept} Put the column back, or give the table another query by CREATE OR REPLACE.`},
  );
}

/** The feeds can't be trusted to tell all that happened, or the target does not hold what we left. */
function untrusted(state: Published, target: Past, pasts: readonly SourcePast[]): Forced {
  const fully = (reason: Reason): Forced => ({action: 'FULL', reason});
  for (const {source, to, before, stretch} of pasts) {
    if (before === undefined) continue;
    const {snapshot: from, time} = before;
    if (to < from) return fully({kind: 'version-went-back', source});
    if (stretch.missing !== null) return fully({kind: 'snapshot-expired', source, snapshot: stretch.missing});
    // An id with another time is another snapshot: the catalog was restored from a backup and gives ids out again.
    if (stretch.fromTime !== time) return fully({kind: 'snapshot-expired', source, snapshot: from});
  }
  const {missing} = target.stretch;
  if (missing !== null) return fully({kind: 'snapshot-expired', source: tableNameText(state.table), snapshot: missing});
  const written = lastByOthers(state, target.history);
  return written === null ? null : fully({kind: 'target-written', snapshot: written});
}

/** What is kept of the groups is not there any more, or not what we left. Where nothing is kept nothing is merged. */
function untrustedGroups(state: Published, kept: FingerprintedGroups | null, groups: Past): Forced {
  const reason = kept === null ? null : groupsAmiss(state, kept, groups);
  return reason === null ? null : {action: 'FULL', reason};
}

/** Why the definition as it stands is always refreshed fully. */
function notIncremental(state: Published, {reading}: Bound): Forced {
  const reason = fullReasons(reading)[0];
  if (state.definition.options.refreshMode === 'FULL') return {action: 'FULL', reason: {kind: 'mode'}};
  return reason === undefined ? null : {action: 'FULL', reason};
}

/** Every reason why a query has no incremental refresh; none: it has one. */
export function fullReasons(reading: Bound['reading']): readonly Reason[] {
  if (reading.kind === 'full') return reading.reasons;
  const delta = differentiate(reading.relation, () => true);
  return delta.kind === 'delta' ? [] : delta.reasons;
}
