import {randomUUID} from 'node:crypto';
import {checkCardinality} from '../src/activities/check-cardinality.ts';
import {define, makeTable} from '../src/activities/define.ts';
import {extractChanges} from '../src/activities/extract-changes.ts';
import {fullReasons, lookUpSnapshots} from '../src/activities/look-up-snapshots.ts';
import {publishRefresh} from '../src/activities/publish-refresh.ts';
import {isUnchanged} from '../src/activities/unchanged.ts';
import {defaultSettings, type Options} from '../src/definition/definition.ts';
import {bareQuery} from '../src/definition/statement.ts';
import {reasonText} from '../src/delta/reason.ts';
import type {Reason} from '../src/delta/reason.ts';
import {FreshetError} from '../src/errors.ts';
import {readersOf, type Node} from '../src/graph/edges.ts';
import type {Lake} from '../src/lake/lake.ts';
import {allStates} from '../src/lake/state.ts';
import type {Action} from '../src/refresh/action.ts';
import type {ApplyInput, LookUp, Publication, PublishedSummary} from '../src/refresh/messages.ts';
import type {Relation} from '../src/relation/relation.ts';
import {tableNameText, type TableName} from '../src/table-name.ts';

/**
 * A dynamic table without Temporal and without metadata: what the workflows `createDynamicTable` and `applyRefresh` do, with the
 * same activities, for one caller alone.
 */

export type Created = {
  readonly table: TableName;
  readonly query: string;
  readonly mode: 'INCREMENTAL' | 'FULL';
  /** Why it is FULL. */
  readonly reason: string | null;
  readonly node: Node;
  /** The query as algebra; null where it has no place in it. */
  readonly relation: Relation | null;
};

/** Above any share of rows. */
const thresholdOff = 1e9;

/** Binds the query at the newest snapshot and makes the target and its state row, both empty; throws what the user is told. */
export async function create(lake: Lake, table: TableName, query: string): Promise<Created> {
  const options: Options = {
    targetLag: {kind: 'downstream'},
    refreshMode: 'AUTO',
    initialize: 'ON_CREATE',
    cardinalityThreshold: thresholdOff,
    comment: null,
  };
  const defined = await define(lake, {table, query, options, settings: defaultSettings}, bareQuery(query));
  const {bound} = defined.boundAt;
  const [volatile] = bound.volatileFunctions;
  if (volatile !== undefined) {
    throw new FreshetError('volatile_function', reasonText({kind: 'volatile', functionName: volatile}));
  }
  await makeTable(lake, defined);
  const [reason] = fullReasons(bound.reading);
  return {
    table,
    query,
    node: {name: tableNameText(table), sources: bound.sources.map((source) => tableNameText(source.table))},
    mode: reason === undefined ? 'INCREMENTAL' : 'FULL',
    reason: reason === undefined ? null : reasonText(reason),
    relation: bound.reading.kind === 'relation' ? bound.reading.relation : null,
  };
}

export type Refreshed = {
  readonly publication: Publication;
  readonly action: Action;
  readonly reason: string | null;
  readonly recomputed: PublishedSummary['recomputed'];
};

export type RefreshRequest = {
  readonly table: TableName;
  readonly dataVersion: number;
  /** The dynamic tables that it reads, at what they published for `dataVersion`. */
  readonly upstreams: Readonly<Record<string, Publication>>;
  /** All dynamic tables of the lake. */
  readonly nodes: readonly Node[];
  /** What it published last; null: nothing yet. */
  readonly last: Publication | null;
};

const maxRounds = 5;

/** Brings a table to the data version. The threshold is off: what has a rule is done by it. */
export async function refresh(lake: Lake, request: RefreshRequest): Promise<Refreshed> {
  const {dataVersion, upstreams, nodes, last} = request;
  const table = tableNameText(request.table);
  const hasReaders = readersOf(table, nodes).length > 0;
  const apply: ApplyInput = {table, dataVersion, upstreams, full: false, hasReaders, trigger: 'manual'};
  const refreshId = randomUUID();
  let instead: Reason | null = null;
  for (let round = 1; round <= maxRounds; round++) {
    const found = await lookUpSnapshots({lake}, {apply});
    if (found.kind === 'ahead') throw new Error(`${apply.table} is at ${found.dataVersion}, past ${dataVersion}`);
    if (found.kind === 'current') return nothingToDo(found.publication);
    if (last !== null && nothingChanged(found)) return nothingToDo(last);
    const lookUp = instead === null ? found : {...found, forced: {action: 'FULL' as const, reason: instead}};
    const extraction = await extractChanges({lake}, {apply, refreshId, lookUp});
    const decision = await checkCardinality({lookUp, extraction});
    const published = await publishRefresh({lake}, {apply, refreshId, lookUp, extraction, decision});
    if (published.kind === 'published') {
      const {action, reason, recomputed} = published.summary;
      return {publication: published.publication, action, reason: reason && reasonText(reason), recomputed};
    }
    if (published.kind === 'full-instead') instead = published.reason;
  }
  throw new Error(`${apply.table} could not be refreshed in ${maxRounds} rounds`);
}

/** Whether step 1 of a run, which looks at the catalog alone, finds nothing to do. */
export async function isCurrent(lake: Lake, {table, dataVersion, nodes}: RefreshRequest): Promise<boolean> {
  const states = await lake.look(allStates);
  const byName = new Map(states.map((state) => [tableNameText(state.table), state]));
  return await isUnchanged(lake, tableNameText(table), nodes, byName, dataVersion);
}

/** The same as the look-up finds it: no source has a change, and the table is what we left. Then nothing is written. */
function nothingChanged({forced, sources}: LookUp & {kind: 'refresh'}): boolean {
  return forced === null && sources.every(({parts}) => parts.length === 0);
}

function nothingToDo(publication: Publication): Refreshed {
  return {publication, action: 'NO_DATA', reason: null, recomputed: 'none'};
}
