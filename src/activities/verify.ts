import {createMirror} from '../binder/mirror.ts';
import {FreshetError} from '../errors.ts';
import {currentSnapshot, missingSnapshot, tableAt} from '../lake/catalog.ts';
import {countAt} from '../lake/feed.ts';
import type {Session} from '../lake/session.ts';
import {readState, type Published} from '../lake/state.ts';
import {writtenByOthers} from '../lake/target.ts';
import {inLake} from '../lake/alias.ts';
import {insertVerification, type Difference} from '../metadata/verification.ts';
import {output, storedQuery, type Target} from '../refresh/apply.ts';
import {identityTerms} from '../relation/identity.ts';
import {identifier, join, raw, sql, type Sql} from '../sql.ts';
import {tableNameText, type TableName} from '../table-name.ts';
import type {VerifyInput, VerifyResult} from '../workflows/messages.ts';
import {boundAt, type BoundAt} from './bound-at.ts';
import {findTables} from './choose-version.ts';
import type {Deps} from './deps.ts';
import {loosePlaces, type Looseness} from './looseness.ts';
import type {RefreshContext} from './look-up-snapshots.ts';
import {tableNamed, type Versions} from './versions.ts';

/** How many differing rows are kept. */
const shown = 10;
/** Two sums of the same floats in another order differ by less. */
const tolerance = 1e-9;

/**
 * Compares a table with its query, both ways and row by row, by time travel: the rows that its last publication left (or what
 * somebody else has made of them since), and the query over each source as that publication read it. Floats that depend on the order of rows may differ in their last bits.
 */
export async function verify(deps: Deps & Pick<RefreshContext, 'signal'>, {table}: VerifyInput): Promise<VerifyResult> {
  const started = performance.now();
  const {lake, signal} = deps;
  const {name} = (await findTables(deps, {table, trigger: 'manual'})).table;
  const {state, written} = await lake.look((session) => lookAt(session, tableNamed(name)), signal);
  if (state === null || state.dataVersion === null) {
    throw new FreshetError('no_contents', `${name} has no contents yet.`, {hint: 'Refresh it first.'});
  }
  const versions = versionsConsumed(state, state.dataVersion);
  const history = await lake.look((session) => historyChanged(session, state), signal);
  const bound = history === null ? await boundAt(lake, state.definition, versions, signal) : null;
  const compared =
    bound === null
      ? nothingCompared
      : await lake.compute(
          state.definition.settings,
          (session) => compare(session, lake.name, {...state, snapshot: written ?? state.snapshot}, bound, versions),
          signal,
        );
  const byOthers = written === null ? null : 'somebody else wrote into the table, which its next refresh replaces';
  const note = [byOthers, compared.note].filter((part) => part !== null).join('; ') || null;
  return await conclude(deps, name, state, {...compared, note, history, milliseconds: performance.now() - started});
}

/** The state row, and the snapshot to read instead of its publication's when somebody else has written the table since. */
async function lookAt(session: Session, table: TableName): Promise<{state: Published | null; written: number | null}> {
  return await session.transaction(async () => {
    const {id} = await currentSnapshot(session);
    const state = await readState(session, table);
    const target = await tableAt(session, table, id);
    if (state === null) return {state, written: null};
    if (target === null) {
      throw new FreshetError('source_changed', `The table ${tableNameText(table)} was dropped from the lake.`, {
        hint: 'Its next refresh makes it anew; DROP DYNAMIC TABLE takes the rest away.',
      });
    }
    const last = await writtenByOthers(session, state, target.tableId);
    // A write after the snapshot that this look sees is not its business: it may be our own next publication.
    return {state, written: last !== null && last <= id ? id : null};
  });
}

/** Each source as the last publication read it. */
function versionsConsumed({sources}: Published, dataVersion: number): Versions {
  const snapshots = new Map(sources.map(({source, snapshot}) => [source.toLowerCase(), snapshot]));
  return {
    dataVersion,
    snapshotOf: (name: TableName) => snapshots.get(tableNameText(name).toLowerCase()) ?? dataVersion,
  };
}

/** What has happened to the lake's past since it was read; null: nothing that shows. */
async function historyChanged(session: Session, {sources, snapshot: published}: Published): Promise<string | null> {
  if ((await missingSnapshot(session, published, published)) !== null) return `snapshot ${published} has been expired`;
  for (const {source, snapshot, rows} of sources) {
    if ((await missingSnapshot(session, snapshot, snapshot)) !== null)
      return `snapshot ${snapshot} of ${source} has been expired`;
    const found = await countAt(session, tableNamed(source), snapshot);
    if (found !== rows) {
      return `history of ${source} changed after publication: ${rows} rows were read at snapshot ${snapshot}, ${found} are there now`;
    }
  }
  return null;
}

type Compared = {
  readonly missing: number;
  readonly unexpected: number;
  readonly columns: readonly string[];
  readonly differences: readonly Difference[];
  readonly note: string | null;
};

const nothingCompared: Compared = {missing: 0, unexpected: 0, columns: [], differences: [], note: null};

async function compare(
  session: Session,
  lakeName: string,
  {table, definition, snapshot}: Published,
  {bound, reached}: BoundAt,
  {snapshotOf}: Versions,
): Promise<Compared> {
  const {outputs} = bound;
  const target: Target = {table: inLake(table), outputs};
  const mirror = await createMirror(session, {name: lakeName, reached, versionOf: snapshotOf, isRun: true});
  try {
    await session.run(sql`CREATE OR REPLACE TEMP TABLE verify_query AS\n${storedQuery(raw(definition.query), target)}`);
  } finally {
    await mirror.drop();
  }
  await session.run(differing(target, snapshot));
  const loose = loosePlaces(bound);
  const close = loose.size === 0 ? 0 : await forgetClose(session, target, loose);
  return {
    ...(await counts(session)),
    columns: outputs.map(({name}) => name),
    differences: await firstDifferences(session, outputs.length),
    note:
      close === 0
        ? null
        : `${close} rows differ only in the last bits of floats, which depend on the order of rows, or in the sign of a zero`,
  };
}

/** `verify_rest`: each row that one side has more often, with how much more often the query has it. */
function differing({table, outputs}: Target, snapshot: number): Sql {
  const places = outputs.map((_, place) => output(place));
  const held = outputs.map(({name}, place) => sql`${identifier(name)} AS ${output(place)}`);
  const identity = outputs.flatMap(({storedType}, place) => [
    output(place),
    ...identityTerms(output(place), storedType),
  ]);
  return sql`CREATE OR REPLACE TEMP TABLE verify_rest AS
SELECT ${join(places)}, CAST(sum(weight) AS BIGINT) AS copies
FROM (
  SELECT ${join(places)}, 1 AS weight FROM verify_query
  UNION ALL
  SELECT ${join(held)}, -1 FROM ${table} AS held AT (VERSION => ${snapshot})
) AS both_sides
GROUP BY ${join(identity)}
HAVING sum(weight) <> 0`;
}

/**
 * Takes away the pairs of rows, one of each side, that agree but for what may differ between two evaluations. Rows that agree in
 * all else are paired in the order of the loose columns. Answers how many pairs there were.
 */
async function forgetClose(
  session: Session,
  {outputs}: Target,
  loose: ReadonlyMap<number, Looseness>,
): Promise<number> {
  const places = outputs.map((_, place) => output(place));
  const exact = outputs.flatMap(({storedType}, place) =>
    loose.has(place) ? [] : [output(place), ...identityTerms(output(place), storedType)],
  );
  const same = outputs.flatMap(({storedType}, place) => agreement(place, storedType, loose.get(place)));
  await session.run(sql`CREATE OR REPLACE TEMP TABLE verify_ranked AS
SELECT *, row_number() OVER (PARTITION BY ${join([...exact, sql`copies > 0`])} ORDER BY ${join([...loose.keys()].map(output))}) AS place
FROM (SELECT ${join(places)}, copies, unnest(range(abs(copies))) AS copy FROM verify_rest) AS rest`);
  await session.run(sql`CREATE OR REPLACE TEMP TABLE verify_close AS
SELECT one.rowid AS one_row, other.rowid AS other_row
FROM verify_ranked AS one
JOIN verify_ranked AS other ON ${join([...same, sql`one.place = other.place`], ' AND ')}
WHERE one.copies > 0 AND other.copies < 0`);
  await session.run(sql`CREATE OR REPLACE TEMP TABLE verify_rest AS
SELECT ${join(places)}, sign(copies)::BIGINT AS copies FROM verify_ranked
WHERE rowid NOT IN (SELECT one_row FROM verify_close UNION ALL SELECT other_row FROM verify_close)`);
  const [row] = await session.rows<{count: number}>(sql`SELECT count(*) AS count FROM verify_close`);
  return row?.count ?? 0;
}

/** What must hold of one column of a pair. */
function agreement(place: number, storedType: string, looseness: Looseness | undefined): Sql[] {
  const [one, other] = [sql`one.${output(place)}`, sql`other.${output(place)}`];
  if (looseness === 'close') return [isClose(one, other)];
  const equal = sql`${one} IS NOT DISTINCT FROM ${other}`;
  if (looseness === 'equal') return [equal];
  const [ours, theirs] = [identityTerms(one, storedType), identityTerms(other, storedType)];
  return [equal, ...ours.map((term, i) => sql`${term} IS NOT DISTINCT FROM ${theirs[i] ?? raw('NULL')}`)];
}

function isClose(one: Sql, other: Sql): Sql {
  return sql`(${one} IS NOT DISTINCT FROM ${other} OR abs(${one} - ${other}) <= ${raw(String(tolerance))} * greatest(abs(${one}), abs(${other})))`;
}

async function counts(session: Session): Promise<{missing: number; unexpected: number}> {
  const [row] = await session.rows<{missing: number; unexpected: number}>(
    sql`SELECT coalesce(sum(copies) FILTER (copies > 0), 0)::BIGINT AS missing, coalesce(-sum(copies) FILTER (copies < 0), 0)::BIGINT AS unexpected
      FROM verify_rest`,
  );
  return row ?? {missing: 0, unexpected: 0};
}

async function firstDifferences(session: Session, columns: number): Promise<Difference[]> {
  const places = Array.from({length: columns}, (_, place) => output(place));
  const texts = join(places.map((place) => sql`${place}::VARCHAR`));
  const rows = await session.rows<{copies: number; texts: (string | null)[]}>(
    sql`SELECT copies, [${texts}] AS texts FROM verify_rest ORDER BY ${join(places)} LIMIT ${shown}`,
  );
  return rows.map(({copies, texts: values}) => ({
    side: copies > 0 ? 'missing' : 'unexpected',
    count: Math.abs(copies),
    values,
  }));
}

async function conclude(
  {metadata}: Deps,
  table: string,
  state: Published,
  found: Compared & {readonly history: string | null; readonly milliseconds: number},
): Promise<VerifyResult> {
  const {missing, unexpected, columns, differences, history, milliseconds} = found;
  const isEqual = missing === 0 && unexpected === 0;
  const verdict = history !== null ? 'history-changed' : isEqual ? 'equal' : 'different';
  const {incarnation, snapshot, rows} = state;
  const dataVersion = state.dataVersion ?? snapshot;
  const note = history ?? found.note;
  const common = {table, verdict, dataVersion, snapshot, rows, missing, unexpected, note, milliseconds} as const;
  const verificationId = await insertVerification(metadata, {...common, incarnation, columns, differences});
  return {...common, verificationId};
}
