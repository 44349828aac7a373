import {differentiate} from '../delta/differentiate.ts';
import type {Program, SourceChange, Step} from '../delta/program.ts';
import type {Merges} from '../delta/root.ts';
import {assert} from '../assert.ts';
import {FreshetError} from '../errors.ts';
import {currentSnapshot, tablesAt, type LakeTable} from '../lake/catalog.ts';
import {isLakeError} from '../lake/errors.ts';
import type {LakeError} from '../lake/errors.ts';
import {changedPast, countAt, stageChange} from '../lake/feed.ts';
import type {Session} from '../lake/session.ts';
import {stagingFolder, writeStaged} from '../lake/staging.ts';
import {readStanding} from '../lake/state.ts';
import {readShare} from '../refresh/choose.ts';
import type {ApplyInput, Extraction, LookUp, SourceRange, StagedKeys, StagedSource} from '../refresh/messages.ts';
import type {Reason} from '../delta/reason.ts';
import {columnName, print} from '../relation/print.ts';
import type {Names} from '../relation/print.ts';
import {columnsOfRelation} from '../relation/relation.ts';
import type {Relation} from '../relation/relation.ts';
import {identifier, sql} from '../sql.ts';
import {tableNameText} from '../table-name.ts';
import {boundAt} from './bound-at.ts';
import {hiddenGroupsOf, mergesOf} from './groups.ts';
import type {RefreshContext} from './look-up-snapshots.ts';
import {Facts, lakeNames} from './names.ts';
import {tableNamed, versionsOf} from './versions.ts';

type ExtractInput = {
  readonly apply: ApplyInput;
  readonly refreshId: string;
  readonly lookUp: LookUp & {kind: 'refresh'};
};

/**
 * Reads what came and went in each source, netted on the columns that the query uses, and from it every affected key, all in SQL;
 * stages both as files and answers counts. In the transaction that reads a feed its source is really counted, and must have the
 * rows of the old end plus what came minus what went: only then is nothing missing (a delete that is dated back, a rewrite, an
 * expiry are not seen otherwise).
 */
export async function extractChanges({lake, signal}: RefreshContext, input: ExtractInput): Promise<Extraction> {
  const {apply, refreshId, lookUp} = input;
  const table = tableNamed(apply.table);
  const state = await lake.look((session) => readStanding(session, table), signal);
  if (state === null) throw new FreshetError('unknown_dynamic_table', `There is no dynamic table ${apply.table}`);
  const {cardinalityThreshold: threshold} = state.definition.options;
  if (lookUp.forced) return {kind: 'staged', sources: [], keys: [], threshold, statements: []};
  const {bound} = await boundAt(lake, state.definition, versionsOf(apply), signal);
  const {reading} = bound;
  if (reading.kind === 'full') return untrusted({kind: 'construct', construct: 'The query'}, []);
  const folder = stagingFolder(lake, table, refreshId);
  return await lake.compute(
    state.definition.settings,
    async (session) => {
      const merges = mergesOf(state, hiddenGroupsOf(bound, state.definition));
      const work = {relation: reading.relation, merges, lookUp, folder, threshold};
      const extracted = await session.transaction(() => extract(session, work)).catch(failedStatement);
      return {...extracted, statements: session.takeProfile()};
    },
    signal,
  );
}

/** Our statements may fail where the query itself would not: on rows that never stood together, or because we printed them wrong. */
function failedStatement(error: unknown): Extraction {
  if (isLakeError(error, 'data', 'statement')) return untrusted(failureReason(error), []);
  throw error;
}

/** Why a statement of ours that failed is no reason to fail the refresh: the user's own text decides. */
export function failureReason({kind, message}: LakeError): Reason {
  return kind === 'data' ? {kind: 'data-error', message} : {kind: 'round-trip', detail: message};
}

type Work = {
  readonly relation: Relation;
  readonly merges: Merges;
  readonly lookUp: LookUp & {kind: 'refresh'};
  readonly folder: string;
  readonly threshold: number;
};

async function extract(session: Session, {relation, merges, lookUp, folder, threshold}: Work): Promise<Extraction> {
  await currentSnapshot(session);
  const all = differentiate(relation, () => true, merges);
  if (all.kind !== 'delta') return untrusted(all.reasons[0] ?? {kind: 'mode'}, []);
  const at = lookUp.sources.map(({source, to}) => ({table: tableNamed(source), snapshot: to}));
  const tables = await tablesAt(session, at);
  const counted: Counted[] = [];
  for (const [i, range] of lookUp.sources.entries()) {
    const table = tables[i];
    assert(table, `${range.source} was there when it was looked up`);
    counted.push({range, table, rowsTo: await countAt(session, table.table, range.to)});
  }
  const grown = counted.map(growth);
  if ((readShare({sources: grown, keys: []}) ?? 0) > threshold) {
    return {kind: 'staged', sources: grown, keys: [], threshold, statements: []};
  }
  const netted: StagedSource[] = [];
  for (const source of counted) {
    const staged = await netSource(session, source, all.program.changes);
    if ('kind' in staged) return untrusted(staged, []);
    netted.push(staged);
  }
  const keys: StagedKeys[] = [];
  // Once the share is over the threshold, what is staged would only be thrown away.
  const isDecided = (): boolean => (readShare({sources: netted, keys}) ?? 0) > threshold;
  if (isDecided()) return {kind: 'staged', sources: netted, keys, threshold, statements: []};
  const program = programOf(relation, netted, merges);
  const files = new Map<string, string>();
  for (const {source, name} of program.changes) {
    files.set(tableNameText(source), await writeStaged(session, name, folder));
  }
  const names = lakeNames(lookUp, new Facts());
  for (const step of program.steps) if (!isDecided()) keys.push(await stageStep(session, step, names, folder));
  const sources = netted.map((staged) => ({...staged, file: files.get(staged.source) ?? null}));
  return {kind: 'staged', sources, keys, threshold, statements: []};
}

/** The program for the sources that really changed. */
export function programOf(relation: Relation, sources: readonly StagedSource[], merges: Merges): Program {
  const changed = new Set(sources.filter(({inserted, deleted}) => inserted + deleted > 0).map(({source}) => source));
  const delta = differentiate(relation, (source) => changed.has(tableNameText(source)), merges);
  assert(delta.kind === 'delta', 'a relation whose every source may change has a program when fewer do');
  return delta.program;
}

type Counted = {readonly range: SourceRange; readonly table: LakeTable; readonly rowsTo: number};

/** The least that can have changed, known without reading a feed: after a burst that alone is reason enough to recompute. */
function growth({range: {source, rowsFrom}, rowsTo}: Counted): StagedSource {
  const rows = rowsTo - (rowsFrom ?? 0);
  return {source, file: null, inserted: Math.max(rows, 0), deleted: Math.max(-rows, 0), rowsTo};
}

/** Makes the temporary table of a source's net change, and holds it against the real count. */
async function netSource(
  session: Session,
  {range, table, rowsTo}: Counted,
  changes: readonly SourceChange[],
): Promise<StagedSource | Reason> {
  const {source, rowsFrom, parts} = range;
  const change = changes.find((candidate) => tableNameText(candidate.source) === source);
  const counts =
    change === undefined || parts.length === 0
      ? {inserted: 0, deleted: 0}
      : await stageChange(session, {table, columns: change.columns, parts}, change.name);
  const expected = (rowsFrom ?? 0) + counts.inserted - counts.deleted;
  if (expected !== rowsTo) return {kind: 'count-mismatch', source, expected, found: rowsTo};
  return (await changedPast(session, table.table, range)) ?? {source, file: null, ...counts, rowsTo};
}

async function stageStep(session: Session, step: Step, names: LakeFacts, folder: string): Promise<StagedKeys> {
  const {name, relation, kind, reads} = step;
  await session.run(sql`CREATE TEMP TABLE ${identifier(name)} AS\n${print(relation, names)}`, `${kind}: ${step.what}`);
  const count = await names.facts.learn(session, name, columnsOfRelation(relation).map(columnName));
  const file = await writeStaged(session, name, folder);
  if (kind === 'change' || count === 0) return {name, file, count: 0, rowsBelow: 0};
  let rowsBelow = 0;
  for (const read of reads) rowsBelow += await countRows(session, read, names);
  return {name, file, count, rowsBelow};
}

async function countRows(session: Session, relation: Relation, names: Names): Promise<number> {
  const [row] = await session.rows<{count: number}>(
    sql`SELECT count(*) AS count FROM (\n${print(relation, names)}\n) AS rows_below`,
    'rows below the affected keys',
  );
  return row?.count ?? 0;
}

type LakeFacts = ReturnType<typeof lakeNames>;

function untrusted(reason: Reason, statements: Extraction['statements']): Extraction {
  return {kind: 'untrusted', reason, statements};
}
