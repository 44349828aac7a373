import type {Reason} from '../delta/reason.ts';
import type {SourceRange} from '../refresh/messages.ts';
import {identifier, join, literal, nothing, raw, sql, type Sql} from '../sql.ts';
import type {TableName} from '../table-name.ts';
import {inLake, lakeAlias} from './alias.ts';
import {tableAt, tableById, tableHistory, type LakeColumn, type LakeTable} from './catalog.ts';
import type {SnapshotChange} from './changes-made.ts';
import {identityTerms} from '../relation/identity.ts';
import type {Session} from './session.ts';

/** A stretch of snapshots whose feed may be read in one go, both ends inclusive. */
export type FeedPart = SourceRange['parts'][number];

/**
 * The parts of (from, to] that have changes. `rewrite_data_files` puts every surviving row into the feed as gone and come, or
 * only as come: its snapshots are left out, and no part reaches across one (filtering the feed by snapshot is wrong too).
 */
export function feedParts(history: readonly SnapshotChange[], from: number, to: number): FeedPart[] {
  const within = history.filter(({snapshot}) => snapshot > from && snapshot <= to);
  const rewrites = within.filter(({rewritten}) => rewritten).map(({snapshot}) => snapshot);
  const starts = [from, ...rewrites].map((snapshot) => snapshot + 1);
  const ends = [...rewrites.map((snapshot) => snapshot - 1), to];
  return starts.flatMap((first, i) => {
    const last = ends[i]!; // As many ends as starts.
    const inside = within.filter(({snapshot}) => snapshot >= first && snapshot <= last);
    const inserts = inside.some((change) => change.inserts);
    const deletes = inside.some((change) => change.deletes);
    return inserts || deletes ? [{first, last, inserts, deletes}] : [];
  });
}

export type SourceChange = {
  /** As of the end of the refresh. */
  readonly table: LakeTable;
  /** Names as of then; those the query uses. */
  readonly columns: readonly string[];
  readonly parts: readonly FeedPart[];
};

/**
 * Makes the temporary table `as` with a source's net change: columns `c0`, `c1` … in the order of `columns`, and `weight`, never 0.
 * Answers how many rows came and went, after netting.
 *
 * The feed is first written down as it comes: with a predicate, join or aggregate in the same statement it can give wrong rows.
 * Its own `snapshot_id` and `rowid` are not read at all (they are often wrong, and a source's own column may hide them).
 * Must not run in a transaction that has written the source.
 */
export async function stageChange(
  session: Session,
  {table, columns, parts}: SourceChange,
  as: string,
): Promise<{inserted: number; deleted: number}> {
  const used = columns.map((name) => findColumn(table, name));
  const feed = identifier(`${as}_feed`);
  const reads: Sql[] = [];
  for (const part of parts) reads.push(...readPart(part, await namesIn(session, table, part), used));
  await session.run(
    sql`CREATE OR REPLACE TEMP TABLE ${feed} AS\n${reads.length === 0 ? noRows(used) : join(reads, '\nUNION ALL\n')}`,
    `feed ${table.table.name}`,
  );
  const names = used.map((_, i) => raw(`c${i}`));
  const identity = used.flatMap(({type}, i) => identityTerms(raw(`c${i}`), type, session.settings.defaultCollation));
  await session.run(
    sql`CREATE OR REPLACE TEMP TABLE ${identifier(as)} AS
SELECT ${list(names)}sum(weight)::BIGINT AS weight
FROM ${feed}
${names.length === 0 ? nothing : sql`GROUP BY ${join([...names, ...identity])}\n`}HAVING sum(weight) <> 0`,
    `net ${table.table.name}`,
  );
  await session.run(sql`DROP TABLE ${feed}`);
  const [counts] = await session.rows<{inserted: number; deleted: number}>(
    sql`SELECT coalesce(sum(weight) FILTER (weight > 0), 0)::BIGINT AS inserted, coalesce(-sum(weight) FILTER (weight < 0), 0)::BIGINT AS deleted
      FROM ${identifier(as)}`,
  );
  return counts!; // An aggregate without keys has one row.
}

/** The real number of rows at a snapshot. Instances that count have statistics off: the catalog's own number is not always right. */
export async function countAt(session: Session, table: TableName, snapshot: number): Promise<number> {
  const [row] = await session.rows<{count: number}>(
    sql`SELECT count(*) AS count FROM ${inLake(table)} AT (VERSION => ${snapshot})`,
    `count ${table.name}`,
  );
  return row!.count; // An aggregate without keys has one row.
}

/**
 * Whether the old end of a range shows other rows now than were read there; null: it does not. A flush that comes after a rewrite
 * doubles rows of the snapshots before it, and no feed tells. Whoever reads the old end asks, in the transaction that reads it.
 */
export async function changedPast(
  session: Session,
  table: TableName,
  {source, from, rowsFrom, isRewritten}: SourceRange,
): Promise<Reason | null> {
  if (!isRewritten || from === null || rowsFrom === null) return null;
  const found = await countAt(session, table, from);
  return found === rowsFrom ? null : {kind: 'history-changed', source, snapshot: from, expected: rowsFrom, found};
}

/** Whether files of a table were rewritten in (from, to]: a flush that follows may double its rows of before. */
export function isRewritten(history: readonly SnapshotChange[], from: number, to: number): boolean {
  return history.some(({snapshot, rewritten}) => rewritten && snapshot > from && snapshot <= to);
}

/** The same, of a snapshot and all after it. */
export async function isRewrittenSince(session: Session, table: TableName, snapshot: number): Promise<boolean> {
  const there = await tableAt(session, table, snapshot);
  const history = there === null ? [] : await tableHistory(session, there.tableId, snapshot, Number.MAX_SAFE_INTEGER);
  return isRewritten(history, snapshot, Number.MAX_SAFE_INTEGER);
}

/** The feed is asked by the table's name at the part's end, and shows its columns by their names then. */
async function namesIn(session: Session, table: LakeTable, part: FeedPart): Promise<LakeTable> {
  if (part.last === table.snapshot) return table;
  const then = await tableById(session, table.tableId, part.last);
  if (then === null) throw new Error(`Table ${table.tableId} is not in the lake at snapshot ${part.last}`);
  return then;
}

function readPart({first, last, inserts, deletes}: FeedPart, table: LakeTable, used: readonly LakeColumn[]): Sql[] {
  const columns = used.map(({fieldId, type}, i) => {
    const column = table.columns.find((candidate) => candidate.fieldId === fieldId);
    if (column === undefined)
      throw new Error(`Field ${fieldId} of ${table.table.name} is not there at snapshot ${last}`);
    const value = identifier(column.name);
    return sql`${column.type === type ? value : sql`${value}::${raw(type)}`} AS ${raw(`c${i}`)}`;
  });
  const read = (kind: string, weight: number) =>
    sql`SELECT ${list(columns)}${weight} AS weight FROM ${raw(`ducklake_table_${kind}`)}(${literal(lakeAlias)}, ${literal(table.table.schema)}, ${literal(table.table.name)}, ${first}, ${last})`;
  return [...(inserts ? [read('insertions', 1)] : []), ...(deletes ? [read('deletions', -1)] : [])];
}

function noRows(used: readonly LakeColumn[]): Sql {
  return sql`SELECT ${list(used.map(({type}, i) => sql`NULL::${raw(type)} AS ${raw(`c${i}`)}`))}0 AS weight WHERE false`;
}

/** Select items before another one. */
function list(items: readonly Sql[]): Sql {
  return join(
    items.map((item) => sql`${item}, `),
    '',
  );
}

function findColumn(table: LakeTable, name: string): LakeColumn {
  const column = table.columns.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
  if (column === undefined)
    throw new Error(`Table ${table.table.name} has no column ${name} at snapshot ${table.snapshot}`);
  return column;
}

/**
 * The first of a table's columns that hides one of DuckLake's own. Reading the feed is not hurt, but by-row deletion from such a
 * table is: it asks for `rowid`.
 */
export function shadowedColumn(columns: readonly string[]): string | null {
  return columns.find((name) => ['rowid', 'snapshot_id'].includes(name.toLowerCase())) ?? null;
}
