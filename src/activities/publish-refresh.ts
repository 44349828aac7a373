import {contentsKept, FreshetError} from '../errors.ts';
import {isLakeError} from '../lake/errors.ts';
import {Conflict, isReadable, publicationOf, TargetUnreadable} from '../lake/publication.ts';
import {removeStaging, StagedFileGone, stagingFolder} from '../lake/staging.ts';
import {FenceLost, groupsTable, readStanding} from '../lake/state.ts';
import {inLake} from '../lake/alias.ts';
import type {Target} from '../refresh/apply.ts';
import {keptColumns} from '../refresh/merge.ts';
import type {Published} from '../refresh/messages.ts';
import {boundAt} from './bound-at.ts';
import {failureReason} from './extract-changes.ts';
import {GroupsFailed} from './fill-groups.ts';
import {hiddenGroupsOf, keptGroups} from './groups.ts';
import type {RefreshContext} from './look-up-snapshots.ts';
import {carryOut, GiveUp} from './publication-work.ts';
import type {PublishInput, Work} from './publication-work.ts';
import {tableNamed, versionsOf} from './versions.ts';
import {writeFully} from './write-fully.ts';
import {writeIncrementally} from './write-incrementally.ts';

/**
 * Publishes a refresh in one transaction of the lake: rows, state row behind its fence, commit message. What it reads it counts:
 * a source whose number of rows at `to` is another than when its change was extracted is extracted again.
 *
 * Safe to run twice, and twice at once: the fence lets one in, and an attempt whose answer got lost finds its own refresh id.
 */
export async function publishRefresh({lake, signal}: RefreshContext, input: PublishInput): Promise<Published> {
  const table = tableNamed(input.apply.table);
  const state = await lake.look((session) => readStanding(session, table), signal);
  if (state === null) throw new FreshetError('unknown_dynamic_table', `There is no dynamic table ${input.apply.table}`);
  const bound = await boundAt(lake, state.definition, versionsOf(input.apply), signal);
  const target: Target = {table: inLake(table), outputs: bound.bound.outputs, rows: input.lookUp.rows};
  const groups = hiddenGroupsOf(bound.bound, state.definition);
  const kept = keptGroups(state, groups);
  const hidden =
    groups === null
      ? null
      : {
          ...{...groups, table: inLake(groupsTable(table)), outputs: keptColumns(groups.groups)},
          ...(kept && {rows: kept.rows}),
        };
  const folder = stagingFolder(lake, table, input.refreshId);
  const publish = (keepsGroups: boolean): Promise<Published> =>
    lake.compute(
      state.definition.settings,
      (session) => attempt({...input, session, state, boundAt: bound, target, hidden, keepsGroups}, folder, lake.name),
      signal,
    );
  // Groups that can't be kept are no reason to have no contents.
  const published = await publish(true).catch((error: unknown) => {
    if (error instanceof GroupsFailed) return publish(false);
    throw error;
  });
  if (published.kind === 'published') await removeStaging(folder);
  return published;
}

async function attempt(work: Work, folder: string, lakeName: string): Promise<Published> {
  const {state, refreshId, lookUp, decision} = work;
  const {incarnation, generation} = lookUp.fence;
  if (state.refreshId === refreshId) return await publishedBefore(work, lakeName);
  if (state.incarnation !== incarnation || state.generation !== generation) return {kind: 'lost'};
  try {
    if (decision.action === 'NO_DATA') return await publishNothing(work);
    if (decision.action === 'INCREMENTAL') return await writeIncrementally(work, folder);
    return await writeFully(work, lakeName, lookUp.fence, decision.action === 'REINITIALIZE');
  } catch (error) {
    if (error instanceof GiveUp) return (await isFenceMoved(work)) ? {kind: 'lost'} : error.answer;
    if (error instanceof FenceLost || error instanceof Conflict) return {kind: 'lost'};
    if (error instanceof StagedFileGone) return {kind: 'extract-again', why: error.message};
    if (error instanceof TargetUnreadable) return await writeAnew(work, lakeName, error.publication.generation);
    if (isLakeError(error, 'missing-file') && !(await isReadable(work.session, state.table)))
      return await writeAnew(work, lakeName, generation);
    if (isLakeError(error, 'missing-file') && (await areGroupsUnreadable(work)))
      return {kind: 'full-instead', reason: {kind: 'groups-lost'}};
    if (isLakeError(error, 'data', 'statement') && decision.action === 'INCREMENTAL') {
      return {kind: 'full-instead', reason: failureReason(error)};
    }
    if (isLakeError(error, 'data')) throw dataError(error.message);
    throw error;
  }
}

/** What the lake has of the table can't be read any more: all of it is written again, into another table that takes its place. */
async function writeAnew(work: Work, lakeName: string, generation: number): Promise<Published> {
  const {decision, lookUp} = work;
  const anew = {...decision, action: 'REINITIALIZE', reason: {kind: 'target-files-lost'}} as const;
  const fence = {incarnation: lookUp.fence.incarnation, generation};
  return await writeFully({...work, decision: anew}, lakeName, fence, true);
}

async function areGroupsUnreadable({session, state, hidden, decision}: Work): Promise<boolean> {
  const isMerge = decision.action === 'INCREMENTAL' && keptGroups(state, hidden) !== null;
  return isMerge && !(await isReadable(session, groupsTable(state.table)));
}

/** Whether another refresh has published since: then what the transaction found amiss is that refresh's work. */
async function isFenceMoved({session, state, lookUp}: Work): Promise<boolean> {
  const now = await readStanding(session, state.table);
  return now?.incarnation !== lookUp.fence.incarnation || now.generation !== lookUp.fence.generation;
}

/** The state row alone: a source changed, but in nothing that the query uses, and need not be read for it again. */
function publishNothing(work: Work): Promise<Published> {
  const {rows, fence} = work.lookUp;
  const groups = work.state.fingerprint?.groups;
  const write = () => Promise.resolve({deleted: 0, inserted: 0, rows, groups});
  return carryOut(work, {
    action: 'NO_DATA',
    recomputed: 'none',
    fence,
    into: work.state.table,
    writesGroups: false,
    write,
  });
}

/** The query's own error on its data: it is the user's. DuckDB points into a statement of ours, which is no help to anybody. */
function dataError(message: string): FreshetError {
  return new FreshetError('data_error', message.replace(/\s*\nLINE \d+: [^]*$/, ''), {
    hint: `${contentsKept} Mend the data or the query.`,
  });
}

/** An earlier attempt of this very refresh committed, and its answer got lost on the way; with its files, if DuckLake took them away. */
async function publishedBefore(work: Work, lakeName: string): Promise<Published> {
  const {session, state, decision} = work;
  if (!(await isReadable(session, state.table))) return await writeAnew(work, lakeName, state.generation);
  const {action, reason} = decision;
  const summary = {
    action,
    reason,
    rowsDeleted: 0,
    rowsInserted: 0,
    recomputed: 'none',
    rowsScanned: 0,
    statements: [],
  } as const;
  return {kind: 'published', publication: publicationOf(state), summary};
}
