import {standardPriority} from '../definition/definition.ts';
import {didYouMean} from '../definition/nearest.ts';
import {FreshetError} from '../errors.ts';
import {readersOf, transitiveUpstreamsOf, upstreamsOf} from '../graph/edges.ts';
import {currentSnapshot, snapshotTime} from '../lake/catalog.ts';
import {publicationOf} from '../lake/publication.ts';
import type {Session} from '../lake/session.ts';
import {readState, readStates, type Published} from '../lake/state.ts';
import {inTransaction} from '../metadata/database.ts';
import {allTables, moveTable, suspendedBelow, type TableRow} from '../metadata/dynamic-table.ts';
import {extendPublication, publicationAt} from '../metadata/publication.ts';
import {countNoData, unknownRefresh} from '../metadata/refresh.ts';
import {chooseRung, findRung} from '../metadata/rung.ts';
import type {Choice, Publication} from '../refresh/messages.ts';
import {isSameName} from '../table-name.ts';
import {applyId} from '../temporal-names.ts';
import type {ChooseInput, Chosen} from './activities.ts';
import type {Deps} from './deps.ts';
import {followSources} from './follow-sources.ts';
import {noticeLag} from './notice-lag.ts';
import {repairDefinition, repairPublication, repairTables} from './repair.ts';
import {runningRun} from './running.ts';
import {isLeftBehind, isUnchanged, type States} from './unchanged.ts';
import {tableNamed} from './versions.ts';

/**
 * The version that a run brings its table to, and whether there is anything to do. A manual run takes the newest snapshot, a
 * tick the rung of its nominal time, a child what its parent says. When there is nothing to do, only the metadata move.
 */
export async function chooseVersion(deps: Deps, asked: ChooseInput): Promise<Chosen> {
  const {lake} = deps;
  const {tables, table} = await findTables(deps, asked);
  if (asked.trigger === 'schedule') {
    // Schedules can be triggered and backfilled while they are paused.
    if (table.suspension !== null || suspendedBelow(table.name, tables) !== null) return suspended(deps, table);
    await noticeLag(deps, table);
  }
  const input = {...asked, table: table.name};
  const wanted = await wantedVersion(deps, input);
  const states = await lake.look((session) =>
    statesOf(session, [table.name, ...transitiveUpstreamsOf(table.name, tables)]),
  );
  for (const row of tables) {
    const found = states.get(row.name);
    if (found === undefined) continue;
    await repairPublication(deps, row.name, found);
    await repairDefinition(deps, row, found);
  }
  const state = states.get(table.name);
  if (state === undefined) {
    // A statement that was cut off may have renamed it.
    await repairTables(deps);
    throw new FreshetError('unknown_dynamic_table', `The lake has nothing of ${table.name} any more.`, {
      hint: `Drop it: DROP DYNAMIC TABLE ${table.name}`,
    });
  }
  const v =
    input.dataVersion === null ? await raised(deps, wanted.dataVersion, table, tables, states) : wanted.dataVersion;
  const choice = await choose(deps, input, {table, tables, states, state, v});
  if (choice.kind === 'no-data') await keep(deps, input, state, choice, wanted.freshAt);
  const {priority = standardPriority} = table.definition.options;
  return {table: table.name, choice, freshAt: wanted.freshAt, priority, site: deps.site};
}

function suspended({site}: Deps, {name, dataVersion, freshAt}: TableRow): Chosen {
  const choice = {kind: 'suspended', dataVersion: dataVersion ?? 0} as const;
  return {table: name, choice, freshAt: freshAt ?? new Date().toISOString(), site};
}

/** The table and all others; a table that isn't there is an error that names the one that was meant. */
export async function findTables(
  deps: Pick<Deps, 'lake' | 'metadata' | 'schedules' | 'site'>,
  {table: name, trigger}: Pick<ChooseInput, 'table' | 'trigger'>,
): Promise<{table: TableRow; tables: readonly TableRow[]}> {
  const tables = await allTables(deps.metadata);
  const table = tables.find((candidate) => isSameName(candidate.name, name));
  if (table === undefined) return await findInLake(deps, name, tables);
  if (table.state === 'dropping') throw unknownTable(name, tables);
  if (table.state === 'creating' && trigger !== 'create') {
    // A rename that was cut off has reserved the name before the lake had it.
    const state = await deps.lake.look((session) => readState(session, tableNamed(table.name)));
    if (state !== null && state.incarnation !== table.incarnation) return await findInLake(deps, name, tables);
    throw new FreshetError('unavailable', `${name} is being created.`, {hint: 'Try again when it is there.'});
  }
  return {table, tables};
}

async function findInLake(
  deps: Pick<Deps, 'lake' | 'metadata' | 'schedules' | 'site'>,
  name: string,
  known: readonly TableRow[],
): Promise<{table: TableRow; tables: readonly TableRow[]}> {
  const isThere = await deps.lake.look((session) => readState(session, tableNamed(name)));
  if (isThere === null) throw unknownTable(name, known);
  await repairTables(deps);
  const tables = await allTables(deps.metadata);
  const table = tables.find((candidate) => isSameName(candidate.name, name));
  if (table === undefined) throw unknownTable(name, tables);
  return {table, tables};
}

function unknownTable(name: string, tables: readonly TableRow[]): FreshetError {
  const names = tables.filter(({state}) => state === 'active').map((table) => table.name);
  return new FreshetError('unknown_dynamic_table', `There is no dynamic table ${name}.`, {
    hint: didYouMean(name, names),
  });
}

type Wanted = {readonly dataVersion: number; readonly freshAt: string};

/** The rung is read before the lake is looked at: a look that began earlier would not know its snapshot. */
async function wantedVersion(
  {lake, metadata}: Deps,
  {dataVersion, freshAt, scheduledTime}: ChooseInput,
): Promise<Wanted> {
  const now = new Date().toISOString();
  if (dataVersion !== null) return {dataVersion, freshAt: freshAt ?? now};
  const rung = scheduledTime === null ? null : await findRung(metadata, scheduledTime);
  if (rung !== null) return {dataVersion: rung.dataVersion, freshAt: rung.chosenAt};
  const {id} = await lake.look(currentSnapshot);
  if (scheduledTime === null) return {dataVersion: id, freshAt: now};
  const chosen = await chooseRung(metadata, scheduledTime, id);
  return {dataVersion: chosen.dataVersion, freshAt: chosen.chosenAt};
}

/** The state rows of the tables named, as far as the lake has them, all of one moment. */
async function statesOf(session: Session, names: readonly string[]): Promise<States> {
  const states = await session.transaction(() => readStates(session, names.map(tableNamed)));
  return new Map(names.flatMap((name, i) => (states[i] ? [[name, states[i]]] : [])));
}

/** Not below the version of a table further down that has no contents for it: nobody goes back. */
async function raised(
  {metadata}: Deps,
  wanted: number,
  {name}: TableRow,
  tables: readonly TableRow[],
  states: States,
): Promise<number> {
  const upstreams = transitiveUpstreamsOf(name, tables);
  for (let v = wanted; ;) {
    const beyond: number[] = [];
    for (const upstream of upstreams) {
      const state = states.get(upstream);
      if (state?.dataVersion == null || state.dataVersion <= v) continue;
      if ((await publicationAt(metadata, upstream, state.incarnation, v)) === null) beyond.push(state.dataVersion);
    }
    if (beyond.length === 0) return v;
    v = Math.max(...beyond);
  }
}

type Found = {
  readonly table: TableRow;
  readonly tables: readonly TableRow[];
  readonly states: States;
  readonly state: Published;
  readonly v: number;
};

async function choose(deps: Deps, input: ChooseInput, found: Found): Promise<Choice> {
  const {table, tables, states, state, v} = found;
  if (state.dataVersion !== null && state.dataVersion > v) return await past(deps, input, state, v);
  const isCurrent =
    !input.full &&
    ((await isKnown(deps, table.name, state, v)) ||
      (!isLeftBehind(state, v, Date.now()) && (await isUnchanged(deps.lake, table.name, tables, states, v))));
  if (isCurrent) return {kind: 'no-data', dataVersion: v, publication: publicationOf(state)};
  const followed = await followSources(deps, table, tables, states, v);
  return {
    kind: 'refresh',
    dataVersion: v,
    upstreams: upstreamsOf(table.name, followed),
    running: await runningRun(deps.temporal(), applyId(deps.site.prefix, table.name)),
    hasReaders: readersOf(table.name, followed).length > 0,
  };
}

/** Whether an earlier run has found the same for this version, or published it. */
async function isKnown({metadata}: Deps, name: string, state: Published, v: number): Promise<boolean> {
  const held = await publicationAt(metadata, name, state.incarnation, v);
  return held !== null && held.generation === state.generation;
}

/**
 * The table is past the version. To a run that may choose that is as good as done; a child needs the contents of that very
 * version, which may still be readable at their own snapshot.
 */
async function past(
  {lake, metadata}: Deps,
  {table, dataVersion, full}: ChooseInput,
  state: Published,
  v: number,
): Promise<Choice> {
  const now = publicationOf(state);
  if (dataVersion === null && !full) return {kind: 'no-data', dataVersion: now.dataVersion, publication: now};
  const then = dataVersion === null ? null : await publicationAt(metadata, table, state.incarnation, v);
  if (then !== null && (await lake.look((session) => snapshotTime(session, then.snapshot))) !== null) {
    return {kind: 'no-data', dataVersion: v, publication: plain(then)};
  }
  return {kind: 'ahead', dataVersion: now.dataVersion};
}

function plain({snapshot, incarnation, generation, contents, dataVersion, rows}: Publication): Publication {
  return {snapshot, incarnation, generation, contents, dataVersion, rows};
}

/** The version moves in the metadata alone. */
async function keep(
  {metadata}: Deps,
  {table, trigger, run}: ChooseInput,
  {incarnation}: Published,
  {dataVersion, publication}: Extract<Choice, {kind: 'no-data'}>,
  freshAt: string,
): Promise<void> {
  const {rows} = publication;
  await inTransaction(metadata, async (client) => {
    await extendPublication(client, table, publication, dataVersion);
    await moveTable(client, table, incarnation, {dataVersion, freshAt, rows});
    await countNoData(client, {
      ...unknownRefresh,
      ...{table, incarnation, trigger, action: 'NO_DATA', dataVersion, rows},
      startedAt: new Date().toISOString(),
      ...run,
    });
  });
}
