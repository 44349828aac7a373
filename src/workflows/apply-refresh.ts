import {CancellationScope, workflowInfo} from '@temporalio/workflow';
import type {RefreshLookUp, Site} from '../activities/activities.ts';
import {FreshetError} from '../errors.ts';
import type {
  ApplyInput,
  Decision,
  Extraction,
  Publication,
  Published,
  RefreshSummary,
  StatementProfile,
} from '../refresh/messages.ts';
import {reasonText} from '../delta/reason.ts';
import {failOnce} from './fail-once.ts';
import {startProgress, type Show} from './progress.ts';
import {compute, light} from './proxies.ts';
import {collectWaiters, passOn, type Waiter} from './waiting.ts';

export type ApplyRequest = {readonly apply: ApplyInput; readonly freshAt: string; readonly site: Site};

/** What an apply did, and who has waited for it: its parent tells them once the apply is closed. */
export type ApplyResult = {readonly waiters: readonly Waiter[]} & (
  | {
      readonly outcome: 'refreshed' | 'no-data' | 'joined';
      readonly dataVersion: number;
      readonly publication: Publication;
      readonly summary: RefreshSummary | null;
      readonly isMaintenanceDue: boolean;
    }
  | {readonly outcome: 'ahead'; readonly dataVersion: number}
);

/** How often what was staged may go, or another publish first, until it is no accident any more. */
const maxRounds = 5;

/**
 * Does one refresh of one table, whose upstream tables are ready. Its workflow id is fixed per table, so that at most one is
 * open: that saves work and shows who is at it. What keeps the data safe is the fence inside of `publishRefresh`.
 */
export async function applyRefresh(request: ApplyRequest): Promise<ApplyResult> {
  const waiters = collectWaiters();
  const {table, dataVersion} = request.apply;
  const result = await failOnce(
    () => applyOnce(request, startProgress(table)),
    ({code, message}) => passOn(waiters, code === 'cancelled' ? null : {code, message, dataVersion}),
  );
  return {...result, waiters};
}

type Applied = ApplyResult extends infer Result ? (Result extends unknown ? Omit<Result, 'waiters'> : never) : never;

async function applyOnce(request: ApplyRequest, show: Show): Promise<Applied> {
  const {apply, site} = request;
  const refreshId = workflowInfo().runId;
  const startedAt = new Date().toISOString();
  const clock = phaseClock();
  let full: Extract<Published, {kind: 'full-instead'}> | null = null;

  for (let round = 1; round <= maxRounds; round++) {
    show('look-up', [`to snapshot ${apply.dataVersion}`]);
    const found = await clock('lookUp', () =>
      compute(site).lookUpSnapshots.executeWithOptions(
        {summary: `look up snapshots: ${apply.table} to ${apply.dataVersion}`},
        [{apply, refreshId}],
      ),
    );
    if (found.kind === 'ahead') return {outcome: 'ahead', dataVersion: found.dataVersion};
    if (found.kind === 'current') {
      const {publication} = found;
      return {
        outcome: 'joined',
        dataVersion: publication.dataVersion,
        publication,
        summary: null,
        isMaintenanceDue: false,
      };
    }
    const lookUp: RefreshLookUp = full === null ? found : {...found, forced: {action: 'FULL', reason: full.reason}};

    show('extract', sourceLines(lookUp));
    const extraction = await clock('extract', () =>
      compute(site).extractChanges.executeWithOptions({summary: `extract changes: ${ranges(lookUp)}`}, [
        {apply, refreshId, lookUp},
      ]),
    );
    const decision = await clock('check', () =>
      light.checkCardinality.executeWithOptions({summary: `check cardinality: ${countsText(extraction)}`}, [
        {apply, lookUp, extraction},
      ]),
    );
    show('publish', [...sourceLines(lookUp), decisionText(decision)]);
    const published = await clock('publish', () =>
      compute(site).publishRefresh.executeWithOptions({summary: `publish: ${decisionText(decision)}`}, [
        {apply, refreshId, lookUp, extraction, decision},
      ]),
    );

    if (published.kind === 'published') {
      const {publication} = published;
      const summary = summarize(lookUp, extraction, decision, published, clock.phases());
      const statements = [...extraction.statements, ...published.summary.statements];
      show('record', [...sourceLines(lookUp), publishedText(summary)]);
      const isMaintenanceDue = await record(request, {refreshId, startedAt, publication, summary, statements});
      show('done', [...sourceLines(lookUp), publishedText(summary)]);
      return {
        outcome: summary.action === 'NO_DATA' ? 'no-data' : 'refreshed',
        dataVersion: publication.dataVersion,
        publication,
        summary,
        isMaintenanceDue,
      };
    }
    // Lost to another, or what was staged is gone: look again. Untrusted: the same once more, fully.
    if (published.kind === 'full-instead') full = published;
  }
  throw new FreshetError(
    'superseded',
    `${apply.table} was changed by others ${maxRounds} times while it was refreshed.`,
    {
      hint: 'Its contents are whole, as of an earlier version. The next refresh tries again.',
    },
  );
}

type Recorded = {
  readonly refreshId: string;
  readonly startedAt: string;
  readonly publication: Publication;
  readonly summary: RefreshSummary;
  readonly statements: readonly StatementProfile[];
};

/**
 * The lake has it already: whatever happens to the metadata, the refresh is done, and the next run repairs them. Answers whether
 * the table's files should be tidied.
 */
async function record({apply, freshAt}: ApplyRequest, recorded: Recorded): Promise<boolean> {
  const {workflowId, runId, parent} = workflowInfo();
  const run = parent === undefined ? {workflowId, runId} : {workflowId: parent.workflowId, runId: parent.runId};
  const {table, trigger} = apply;
  const {isMaintenanceDue} = await CancellationScope.nonCancellable(() =>
    light.recordRefresh
      .executeWithOptions({summary: `record: ${publishedText(recorded.summary)}`}, [
        {table, trigger, freshAt, run, ...recorded},
      ])
      .catch(() => ({isMaintenanceDue: false})),
  );
  return isMaintenanceDue;
}

/** Milliseconds by phase, those of a second round added to the first's. */
function phaseClock() {
  const phases: Record<string, number> = {};
  const clock = async <T>(phase: string, work: () => Promise<T>): Promise<T> => {
    const started = Date.now();
    const result = await work();
    phases[phase] = (phases[phase] ?? 0) + Date.now() - started;
    return result;
  };
  return Object.assign(clock, {phases: () => ({...phases})});
}

function summarize(
  {sources}: RefreshLookUp,
  extraction: Extraction,
  decision: Decision,
  {publication, summary}: Extract<Published, {kind: 'published'}>,
  phases: Record<string, number>,
): RefreshSummary {
  const changed = new Map(
    extraction.kind === 'staged'
      ? extraction.sources.map(({source, inserted, deleted}) => [source, inserted + deleted])
      : [],
  );
  return {
    action: summary.action,
    reason: summary.reason === null ? null : reasonText(summary.reason),
    sources: sources.map(({source, from, to}) => ({source, from, to, changedRows: changed.get(source) ?? 0})),
    changedRows: decision.changedRows,
    affectedKeys: decision.affectedKeys,
    ratio: decision.ratio,
    rowsDeleted: summary.rowsDeleted,
    rowsInserted: summary.rowsInserted,
    recomputed: summary.recomputed,
    rowsScanned: summary.rowsScanned,
    rows: publication.rows,
    phases,
  };
}

function ranges({sources, dataVersion}: RefreshLookUp): string {
  const changed = sources.filter(({from, parts}) => from === null || parts.length > 0);
  if (changed.length === 0) return `nothing new at snapshot ${dataVersion}`;
  return changed
    .map(({source, from, to}) => `${source} ${from ?? 'start'}→${to}`)
    .join(', ')
    .slice(0, 150);
}

function sourceLines({sources}: RefreshLookUp): string[] {
  return sources.map(({source, from, to, parts}) =>
    from !== null && parts.length === 0
      ? `\`${source}\` unchanged`
      : `\`${source}\` snapshots ${from ?? 'start'} → ${to}`,
  );
}

function countsText(extraction: Extraction): string {
  if (extraction.kind === 'untrusted') return "the changes can't be trusted";
  const rows = extraction.sources.reduce((sum, {inserted, deleted}) => sum + inserted + deleted, 0);
  const keys = extraction.keys.reduce((sum, {count}) => sum + count, 0);
  return `${count(rows, 'changed row')}${keys === 0 ? '' : `, ${count(keys, 'affected key')}`}`;
}

function decisionText({action, reason, changedRows, affectedKeys}: Decision): string {
  const why = reason === null ? '' : ` (${reasonText(reason)})`;
  const what =
    action === 'INCREMENTAL' ? `: ${count(changedRows, 'changed row')}, ${count(affectedKeys, 'affected key')}` : '';
  return `${action}${what}${why}`.slice(0, 150);
}

function publishedText({action, rowsDeleted, rowsInserted, rows}: RefreshSummary): string {
  const moved =
    rowsDeleted + rowsInserted === 0 ? 'no row changed' : `${rowsDeleted} deleted, ${rowsInserted} inserted`;
  return `${action}: ${moved}, ${count(rows, 'row')} now`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
