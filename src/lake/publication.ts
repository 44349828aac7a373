import {setTimeout as wait} from 'node:timers/promises';
import type {Fence, Publication} from '../refresh/messages.ts';
import {identifier, literal, sql} from '../sql.ts';
import {tableNameText, type TableName} from '../table-name.ts';
import {lakeAlias} from './alias.ts';
import {askedOfPostgres, currentSnapshot, postgresTable} from './catalog.ts';
import {isLakeError, LakeError} from './errors.ts';
import type {Session} from './session.ts';
import {ownTarget} from './target.ts';
import {protect} from './table-options.ts';
import {FenceLost, fencedUpdate, ownState, readStanding, readState, type StateRow} from './state.ts';

/** How many rows went and came. */
export type Written = {readonly deleted: number; readonly inserted: number};

export type PublicationWork = {
  readonly table: TableName;
  /** The hidden table of groups, if it is written too. */
  readonly groups: TableName | null;
  readonly fence: Fence;
  /** Unique to this refresh; by it a commit is found whose answer was lost. */
  readonly refreshId: string;
  /** For people who look at the lake's snapshots. */
  readonly message: string;
  readonly extraInfo: Readonly<Record<string, unknown>>;
  /** Writes the target, which the transaction sees as of snapshot `asOf`. */
  readonly write: (asOf: number) => Promise<Written>;
  /** The state row after it. Its generation and incarnation come from the fence, its refresh id from here. */
  readonly next: (written: Written) => Omit<StateRow, 'generation' | 'incarnation' | 'refreshId'>;
  readonly beforeCommit?: () => Promise<void> | void;
};

/** Somebody else's commit came first: nothing of ours stands, and a new look is needed. */
export class Conflict extends Error {
  constructor(table: TableName, cause: unknown) {
    super(`Somebody else wrote first while ${tableNameText(table)} was published`, {cause});
    this.name = 'Conflict';
  }
}

/**
 * Our commit stands, but its answer was lost, and DuckLake, taking it for failed, deleted the files that it refers to. The table
 * can't be read until it is replaced.
 */
export class TargetUnreadable extends Error {
  readonly publication: Publication;

  constructor(table: TableName, publication: Publication) {
    super(`Files of ${tableNameText(table)} are missing after a commit whose answer was lost`);
    this.name = 'TargetUnreadable';
    this.publication = publication;
  }
}

/**
 * One transaction: rows, state row behind its fence, commit message. Throws `FenceLost` or `Conflict` when another refresh was
 * first; a `LakeError` 'retries-exhausted' may be tried again as it is.
 */
export async function publish(session: Session, work: PublicationWork): Promise<Publication> {
  const {table} = work;
  await protect(session, [...tablesOf(work).map(ownTarget), ownState(table)]);
  let published: StateRow & {readonly asOf: number};
  try {
    published = await session.transaction(async () => {
      const {id: asOf} = await currentSnapshot(session);
      const written = await work.write(asOf);
      const next = {...work.next(written), ...work.fence, refreshId: work.refreshId};
      await fencedUpdate(session, table, work.fence, next);
      await setMessage(session, work);
      await work.beforeCommit?.();
      return {...next, generation: work.fence.generation + 1, asOf};
    });
  } catch (error) {
    if (isLakeError(error, 'conflict')) throw new Conflict(table, error);
    if (isLakeError(error, 'ambiguous-commit')) return await afterLostAnswer(session, work, error);
    throw error;
  }
  const snapshot = await findCommit(session, work.refreshId, published.asOf);
  const publication =
    snapshot === null ? await findPublication(session, work) : publicationOf({...published, snapshot});
  if (publication === null) throw new FenceLost(table);
  return publication;
}

/** Those that hold rows. */
function tablesOf({table, groups}: PublicationWork): readonly TableName[] {
  return groups === null ? [table] : [table, groups];
}

async function setMessage(session: Session, {refreshId, message, extraInfo}: PublicationWork): Promise<void> {
  const extra = JSON.stringify({...extraInfo, refreshId});
  await session.run(
    sql`CALL ${identifier(lakeAlias)}.set_commit_message('freshet', ${literal(message)}, extra_info => ${literal(extra)})`,
  );
}

/** PostgreSQL may be away for as long as a failover takes. */
const answerWithinMs = 60_000;

/** The state row tells whether our commit stands. If so, its files must be there too. */
async function afterLostAnswer(session: Session, work: PublicationWork, error: LakeError): Promise<Publication> {
  const publication = await whenConnected(() => session.beside((next) => findPublication(next, work)));
  if (publication === null) throw new LakeError('connection', error.message);
  for (const table of tablesOf(work)) {
    if (!(await session.beside((next) => isReadable(next, table)))) throw new TargetUnreadable(work.table, publication);
  }
  return publication;
}

async function whenConnected<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + answerWithinMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isLakeError(error, 'connection', 'other') || performance.now() > deadline) throw error;
      await wait(200);
    }
  }
}

/** Null when our refresh is not what the lake has, nor had. */
async function findPublication(
  session: Session,
  {table, fence, refreshId}: PublicationWork,
): Promise<Publication | null> {
  const state = await readStanding(session, table);
  if (state === null || state.incarnation !== fence.incarnation) return null;
  if (state.refreshId === refreshId && state.dataVersion !== null) return publicationOf(state);
  const snapshot = await findCommit(session, refreshId);
  const then = snapshot === null ? null : await readState(session, table, snapshot);
  return then?.refreshId === refreshId ? publicationOf(then) : null;
}

/** By the commit's own words, whoever has published since; `after` a snapshot that is not long ago it costs little. */
async function findCommit(session: Session, refreshId: string, after = -1): Promise<number | null> {
  const [row] = await session.rows<{snapshot: number | null}>(
    sql`FROM ${askedOfPostgres(sql`SELECT max(snapshot_id) AS snapshot FROM ${postgresTable(session, 'snapshot_changes')}
      WHERE snapshot_id > ${after} AND author = 'freshet' AND strpos(commit_extra_info, ${literal(JSON.stringify({refreshId}).slice(1, -1))}) > 0`)}`,
  );
  return row?.snapshot ?? null;
}

/** Of contents that are in the lake; never before the first refresh. */
export function publicationOf(state: StateRow & {readonly snapshot: number}): Publication {
  const {snapshot, incarnation, generation, contents, dataVersion, rows} = state;
  if (dataVersion === null) throw new Error('Bug in Freshet: there are no contents yet');
  return {snapshot, incarnation, generation, contents, dataVersion, rows};
}

/** Whether all its files can be opened: their footers are read, not their rows. */
export async function isReadable(session: Session, {schema, name}: TableName): Promise<boolean> {
  const files = await session.rows<{data: string; deletes: string | null}>(
    sql`SELECT data_file AS data, delete_file AS deletes
      FROM ducklake_list_files(${literal(lakeAlias)}, ${literal(name)}, schema => ${literal(schema)})`,
  );
  const paths = files.flatMap(({data, deletes}) => (deletes === null ? [data] : [data, deletes]));
  if (paths.length === 0) return true;
  try {
    await session.rows(sql`SELECT count(*) FROM parquet_file_metadata(${literal(paths)})`);
    return true;
  } catch (error) {
    if (isLakeError(error, 'missing-file')) return false;
    throw error;
  }
}
