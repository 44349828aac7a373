import {randomUUID} from 'node:crypto';
import {checkCardinality} from '../src/activities/check-cardinality.ts';
import {checkStatement, createTarget, finishCreate, reserveTable} from '../src/activities/create.ts';
import type {Deps} from '../src/activities/deps.ts';
import {extractChanges} from '../src/activities/extract-changes.ts';
import {lookUpSnapshots} from '../src/activities/look-up-snapshots.ts';
import {publishRefresh} from '../src/activities/publish-refresh.ts';
import {recordRefresh} from '../src/activities/record-refresh.ts';
import {reasonText, type Reason} from '../src/delta/reason.ts';
import type {Lake} from '../src/lake/lake.ts';
import type {Metadata} from '../src/metadata/database.ts';
import type {Action} from '../src/refresh/action.ts';
import type {
  ApplyInput,
  Decision,
  LookUp,
  Publication,
  Published,
  PublishedSummary,
  StatementProfile,
} from '../src/refresh/messages.ts';
import {now, type Span} from './statements.ts';

/** The engine's work without Temporal: what the workflows `createDynamicTable` and `applyRefresh` do, with the same activities. */
export type Engine = Pick<Deps, 'lake' | 'metadata'>;

/** CREATE DYNAMIC TABLE without its first refresh. */
export async function create({lake, metadata}: Engine, statement: string): Promise<void> {
  const deps = withoutTemporal(lake, metadata);
  const plan = await checkStatement(deps, {statement});
  const run = {workflowId: `bench ${plan.table}`, runId: randomUUID()};
  const made = {table: plan.table, incarnation: run.runId};
  await reserveTable(deps, {plan, run});
  await createTarget(deps, made);
  await finishCreate(deps, {...made, taskQueue: 'none'});
}

function withoutTemporal(lake: Lake, metadata: Metadata): Deps {
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    lake,
    metadata,
    temporal: () => {
      throw new Error('The engine is measured without Temporal');
    },
    schedules: {
      create: nothing,
      change: nothing,
      rename: nothing,
      delete: nothing,
      pause: nothing,
      noteOfPause: () => Promise.resolve(null),
      resume: () => Promise.resolve(false),
    },
    alerts: {raise: nothing, post: nothing},
    site: {prefix: '', computeTaskQueue: 'none', heartbeatSeconds: 10},
    scrub: (text) => text,
  };
}

/** One refresh of one table, from its look-up to its record. */
export type Refreshed = {
  readonly table: string;
  readonly publication: Publication;
  readonly action: Action;
  readonly reason: string | null;
  readonly recomputed: PublishedSummary['recomputed'];
  readonly changedRows: number;
  readonly rowsScanned: number;
  /** The labels that the engine has given to its statements. */
  readonly statements: readonly StatementProfile[];
  readonly phases: readonly Phase[];
};

export type Phase = Span & {readonly name: 'lookUp' | 'extract' | 'check' | 'publish' | 'record'};

export type Request = Pick<ApplyInput, 'table' | 'dataVersion' | 'upstreams' | 'hasReaders'> & {
  /** What it published last; null: nothing yet. */
  readonly last: Publication | null;
};

/** Brings the table to the data version. Nobody else writes, so that only FULL instead is a reason to try again. */
export async function refresh(engine: Engine, request: Request): Promise<Refreshed> {
  const {clock, phases} = phaseClock();
  const first = await attempt(engine, clock, request, null);
  const done = first.kind === 'full-instead' ? await attempt(engine, clock, request, first.reason) : first;
  if (done.kind !== 'done') throw new Error(`${request.table} could not be refreshed: ${done.kind}`);
  return {table: request.table, phases, ...done.refreshed};
}

type Attempt =
  | {readonly kind: 'done'; readonly refreshed: Omit<Refreshed, 'table' | 'phases'>}
  | Exclude<Published, {kind: 'published'}>
  | Exclude<LookUp, {kind: 'refresh'}>;

async function attempt(
  engine: Engine,
  clock: Clock,
  {last, ...request}: Request,
  instead: Reason | null,
): Promise<Attempt> {
  const apply: ApplyInput = {...request, full: false, trigger: 'manual'};
  const refreshId = randomUUID();
  const startedAt = new Date().toISOString();
  const found = await clock('lookUp', () => lookUpSnapshots(engine, {apply}));
  if (found.kind !== 'refresh') return found;
  // Step 1 of a run finds the same in the catalog and starts no apply.
  if (last !== null && nothingChanged(found)) return {kind: 'done', refreshed: {...untouched, publication: last}};
  const lookUp = instead === null ? found : {...found, forced: {action: 'FULL', reason: instead} as const};
  const input = {apply, refreshId, lookUp};
  const extraction = await clock('extract', () => extractChanges(engine, input));
  const decision = await clock('check', () => checkCardinality({lookUp, extraction}));
  const published = await clock('publish', () => publishRefresh(engine, {...input, extraction, decision}));
  if (published.kind !== 'published') return published;
  const {publication, summary} = published;
  const statements = [...extraction.statements, ...summary.statements];
  const done = doneBy(decision, summary);
  await clock('record', () =>
    recordRefresh(engine, {
      ...{
        table: apply.table,
        trigger: apply.trigger,
        refreshId,
        freshAt: startedAt,
        startedAt,
        publication,
        statements,
      },
      summary: {
        ...{affectedKeys: decision.affectedKeys, ratio: decision.ratio, rows: publication.rows},
        ...{rowsDeleted: summary.rowsDeleted, rowsInserted: summary.rowsInserted, sources: [], phases: {}},
        ...done,
      },
      run: {workflowId: `bench ${apply.table}`, runId: refreshId},
    }),
  );
  return {kind: 'done', refreshed: {publication, statements, ...done}};
}

type Done = Pick<Refreshed, 'action' | 'reason' | 'recomputed' | 'changedRows' | 'rowsScanned'>;

function doneBy({changedRows}: Decision, {action, reason, recomputed, rowsScanned}: PublishedSummary): Done {
  return {action, reason: reason && reasonText(reason), recomputed, changedRows, rowsScanned};
}

function nothingChanged({forced, sources}: LookUp & {kind: 'refresh'}): boolean {
  return forced === null && sources.every(({parts}) => parts.length === 0);
}

const untouched: Done & Pick<Refreshed, 'statements'> = {
  ...{action: 'NO_DATA' as const, reason: null, recomputed: 'none' as const},
  ...{changedRows: 0, rowsScanned: 0, statements: []},
};

type Clock = <T>(name: Phase['name'], work: () => Promise<T>) => Promise<T>;

function phaseClock(): {readonly clock: Clock; readonly phases: readonly Phase[]} {
  const phases: Phase[] = [];
  const clock: Clock = async (name, work) => {
    const startedAt = now();
    try {
      return await work();
    } finally {
      phases.push({name, startedAt, endedAt: now()});
    }
  };
  return {clock, phases};
}
