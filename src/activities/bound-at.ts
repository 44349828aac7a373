import {bindQuery} from '../binder/bind.ts';
import type {Bound} from '../binder/bound.ts';
import {createMirror} from '../binder/mirror.ts';
import {boundAgain, distrusted} from '../binder/round-trip.ts';
import {reach} from '../binder/reach.ts';
import type {Reached} from '../binder/reach.ts';
import {bareQuery} from '../definition/statement.ts';
import type {Query} from '../definition/statement.ts';
import {contentsKept, FreshetError} from '../errors.ts';
import {askedOfPostgres, postgresTable} from '../lake/catalog.ts';
import type {LakeTable} from '../lake/catalog.ts';
import {definitionHash, readFingerprint} from '../lake/fingerprint.ts';
import type {Fingerprint} from '../lake/fingerprint.ts';
import type {Lake} from '../lake/lake.ts';
import type {Session} from '../lake/session.ts';
import type {StoredDefinition} from '../lake/state.ts';
import {prune} from '../relation/rewrite/prune.ts';
import {join, sql} from '../sql.ts';
import {tableNameText, type TableName} from '../table-name.ts';
import type {Versions} from './versions.ts';

/** A definition as it reads at given snapshots: its plan, what of the lake it reaches, and the fingerprint of it all. */
export type BoundAt = {
  readonly bound: Bound;
  readonly reached: Reached;
  readonly fingerprint: Fingerprint;
  /** The columns that its tables had when it was created and have no more. */
  readonly gone: readonly {readonly table: TableName; readonly column: string}[];
};

/** How many plans a process keeps; beyond it begins anew, for a plan is bound again in some tens of milliseconds. */
const mostPlans = 1000;
const plans = new WeakMap<Lake, Plans>();

type Plans = {
  readonly known: Map<string, BoundAt>;
  /** The newest snapshot that one of them was asked for at. */
  seen: SchemaVersion | null;
};

/**
 * Binds a definition at the snapshots that a refresh reads, once for what it reaches there: while the lake's schema version stays the
 * same at each of them, so does that, and where it does not, it is looked at again, for most DDL is about other tables. A catalog
 * restored from a backup gives versions out again: it is known by another time of a snapshot that was seen before.
 */
export async function boundAt(
  lake: Lake,
  definition: StoredDefinition,
  {dataVersion, snapshotOf}: Versions,
  signal?: AbortSignal,
): Promise<BoundAt> {
  const kept = plans.get(lake) ?? {known: new Map<string, BoundAt>(), seen: null};
  plans.set(lake, kept);
  const {known, seen} = kept;
  const snapshots = [dataVersion, ...definition.reached.map(({table}) => snapshotOf(table))];
  const asked = seen === null ? snapshots : [...snapshots, seen.snapshot];
  const rows = await lake.look((session) => schemaVersions(session, asked), signal);
  if (seen !== null && rows.find(({snapshot}) => snapshot === seen.snapshot)?.time !== seen.time) known.clear();
  kept.seen = rows.at(-1) ?? null;
  const schemaOf = new Map(rows.map(({snapshot, version}) => [snapshot, version]));
  const schemas = snapshots.map((snapshot) => schemaOf.get(snapshot));
  const defined = `${definitionHash(definition)} ${JSON.stringify(definition.reached)}`;
  const ofSchemas = `${defined} ${schemas.join(' ')}`;
  const found = known.get(ofSchemas);
  if (found) return found;
  const query = bareQuery(definition.query);
  const versions = {dataVersion, snapshotOf};
  try {
    const reached = await reachAt(lake, definition, query, versions, {signal});
    const ofReached = `${defined} ${meaningOf(reached)}`;
    const bound = known.get(ofReached) ?? (await bindReached(lake, definition, query, reached, versions, {signal}));
    if (known.size >= mostPlans) known.clear();
    known.set(ofSchemas, bound).set(ofReached, bound);
    return bound;
  } catch (error) {
    throw asSourceChange(error, definition);
  }
}

/** All of it that binding and the fingerprint depend on. */
function meaningOf({tables, views, macros, functions}: Reached): string {
  const standing = tables.map(({table, tableId, columns}) => ({table, tableId, columns}));
  return JSON.stringify({standing, views, macros, functions});
}

/** It bound when the table was created: what is wrong with it now, its sources have become. */
function asSourceChange(error: unknown, {table}: StoredDefinition): unknown {
  if (!(error instanceof FreshetError)) return error;
  return new FreshetError('source_changed', `What ${tableNameText(table)} reads has changed: ${error.message}`, {
    hint: `${contentsKept} Put the source back as it was, or give the table another query by CREATE OR REPLACE.`,
    cause: error,
  });
}

export type Binding = {
  readonly signal?: AbortSignal | undefined;
  /** How our reading of the query is tried. */
  readonly check?: typeof boundAgain;
  /** Tables that are taken to be there, whatever the lake has. */
  readonly assumed?: readonly LakeTable[] | undefined;
};

/** Binds a query as somebody typed it: errors point into its statement. */
export async function bindAt(
  lake: Lake,
  definition: StoredDefinition,
  query: Query,
  versions: Versions,
  binding: Binding = {},
): Promise<BoundAt> {
  const reached = await reachAt(lake, definition, query, versions, binding);
  return await bindReached(lake, definition, query, reached, versions, binding);
}

async function reachAt(
  lake: Lake,
  definition: StoredDefinition,
  query: Query,
  {dataVersion, snapshotOf}: Versions,
  {signal, assumed = []}: Binding,
): Promise<Reached> {
  return await lake.look(
    async (session) => recorded(await reach(session, query, dataVersion, snapshotOf, assumed), definition),
    signal,
  );
}

async function bindReached(
  lake: Lake,
  definition: StoredDefinition,
  query: Query,
  reached: Reached,
  {snapshotOf}: Versions,
  {signal, check = boundAgain, assumed = []}: Binding,
): Promise<BoundAt> {
  const bound = await lake.bind(
    definition.settings,
    async (session) => {
      const mirror = await createMirror(session, {name: lake.name, reached, versionOf: snapshotOf});
      try {
        return trusted(definition, await check(session, query, await bindQuery(session, query, reached)));
      } finally {
        await mirror.drop();
      }
    },
    signal,
  );
  const {tables: _, ...texts} = reached;
  const fingerprint = await lake.look((session) =>
    readFingerprint(
      session,
      {
        definition,
        sources: bound.sources.filter(({table}) => !assumed.some((other) => isSameTable(other.table, table))),
        views: texts.views.map(({view}) => view),
        macros: texts.macros.map(({macro}) => macro),
      },
      snapshotOf,
    ),
  );
  const gone = goneColumns(reached, definition);
  return {bound: {...bound, reading: withoutUnused(bound.reading)}, reached, fingerprint, gone};
}

function trusted({distrust}: StoredDefinition, bound: Bound): Bound {
  return distrust === null ? bound : distrusted(bound, distrust);
}

function withoutUnused(reading: Bound['reading']): Bound['reading'] {
  return reading.kind === 'relation' ? {kind: 'relation', relation: prune(reading.relation)} : reading;
}

/** A column that was added after the definition was made is no part of its `*`. */
function recorded(reached: Reached, {reached: atCreation}: StoredDefinition): Reached {
  const columns = new Map(
    atCreation.map(({table, columns: names}) => [
      tableNameText(table).toLowerCase(),
      new Set(names.map((name) => name.toLowerCase())),
    ]),
  );
  const tables = reached.tables.map((table): LakeTable => {
    const names = columns.get(tableNameText(table.table).toLowerCase());
    return names === undefined
      ? table
      : {...table, columns: table.columns.filter(({name}) => names.has(name.toLowerCase()))};
  });
  return {...reached, tables};
}

function goneColumns({tables}: Reached, {reached}: StoredDefinition): BoundAt['gone'] {
  return reached.flatMap(({table, columns}) => {
    const now = tables.find((candidate) => isSameTable(candidate.table, table));
    const names = new Set(now?.columns.map(({name}) => name.toLowerCase()));
    return now === undefined
      ? []
      : columns.filter((column) => !names.has(column.toLowerCase())).map((column) => ({table, column}));
  });
}

function isSameTable(one: TableName, other: TableName): boolean {
  return tableNameText(one).toLowerCase() === tableNameText(other).toLowerCase();
}

type SchemaVersion = {readonly snapshot: number; readonly version: number; readonly time: string};

/** In the order of the snapshots; those that are not there are left out. */
async function schemaVersions(session: Session, snapshots: readonly number[]): Promise<readonly SchemaVersion[]> {
  const list = join(snapshots.map((snapshot) => sql`${snapshot}`));
  return await session.rows<SchemaVersion>(
    sql`FROM ${askedOfPostgres(sql`SELECT snapshot_id AS snapshot, schema_version AS version, snapshot_time AS time
      FROM ${postgresTable(session, 'snapshot')} WHERE snapshot_id IN (${list})`)} ORDER BY snapshot`,
  );
}
