import type {StoredColumn} from '../binder/bound.ts';
import type {ScheduleDescription} from '@temporalio/client';
import {standardPriority} from '../definition/definition.ts';
import {didYouMean} from '../definition/nearest.ts';
import {targetLagText} from '../definition/target-lag.ts';
import {FreshetError} from '../errors.ts';
import {transitiveUpstreamsOf} from '../graph/edges.ts';
import {suspendedBelow, type KeptGroups, type StoredSuspension, type TableRow} from '../metadata/dynamic-table.ts';
import type {HistoryEntry} from '../metadata/refresh.ts';
import type {Difference} from '../metadata/verification.ts';
import type {RefreshResult} from '../refresh/messages.ts';
import {isSameName, readTableName, tableNameText} from '../table-name.ts';
import type {
  AlterResult,
  CreateResult,
  DropResult,
  ResumeResult,
  SuspendResult,
  VerifyResult,
} from '../workflows/messages.ts';

/** A dynamic table as `list` shows it. */
export type DynamicTable = {
  /** `schema.name`, quoted where it must be. */
  readonly table: string;
  /**
   * creating and dropping: a statement is at work, or was cut off; suspended: by hand, it or a table that it reads; auto_suspended:
   * its scheduled refreshes kept failing; paused: somebody has paused its schedule in Temporal.
   */
  readonly state: 'creating' | 'active' | 'suspended' | 'auto_suspended' | 'paused' | 'dropping';
  /** `5 minutes`, or `DOWNSTREAM`. */
  readonly targetLag: string;
  /** What the user allows. */
  readonly refreshMode: 'AUTO' | 'INCREMENTAL' | 'FULL';
  /** 1, before others when workers are short, to 5. */
  readonly priority: number;
  /** How it is refreshed when its data changes. */
  readonly mode: 'incremental' | 'full';
  /** In words, why it is full. */
  readonly reasons: readonly string[];
  readonly sources: readonly string[];
  /** Null before the first refresh. */
  readonly dataVersion: number | null;
  /** When `dataVersion` was the newest snapshot, ISO 8601. */
  readonly freshAt: string | null;
  /** Seconds since `freshAt`: what the target lag promises to keep small. */
  readonly lagSeconds: number | null;
  readonly rows: number | null;
  /** Scheduled refreshes that have failed since the last success. */
  readonly failuresInARow: number;
  /** Why its schedule stands still; null while it does not. */
  readonly suspension: Suspension | null;
  readonly lastRefresh: HistoryEntry | null;
  readonly createdAt: string;
};

/** Why a table's schedule stands still. */
export type Suspension =
  | StoredSuspension
  /** A table that it reads, directly or not, was suspended by hand. */
  | {readonly kind: 'upstream'; readonly table: string}
  /** Its schedule was paused in Temporal, with this note. */
  | {readonly kind: 'schedule'; readonly note: string | null};

/** All there is to know about one dynamic table. */
export type DynamicTableDetails = DynamicTable & {
  readonly query: string;
  readonly comment: string | null;
  readonly initialize: 'ON_CREATE' | 'ON_SCHEDULE';
  readonly cardinalityThreshold: number;
  readonly columns: readonly StoredColumn[];
  /** The dynamic tables among its sources. */
  readonly upstreams: readonly string[];
  /** The dynamic tables below it, at any depth, that are suspended. */
  readonly suspendedUpstreams: readonly SuspendedUpstream[];
  /** The dynamic tables that read it. */
  readonly readers: readonly string[];
  /** The hidden table of the lake that changes are merged into, as the last refresh left it; null while nothing is kept. */
  readonly keptGroups: KeptGroups | null;
  /** Null when Temporal has none (any more). */
  readonly schedule: {
    readonly id: string;
    readonly paused: boolean;
    readonly note: string | null;
    /** ISO 8601. */
    readonly nextRuns: readonly string[];
  } | null;
};

export type SuspendedUpstream = {readonly table: string; readonly suspension: StoredSuspension};

/** A table compared with its query. The rows are there when the client has the metadata's URL. */
export type Verification = VerifyResult & {
  readonly columns: readonly string[];
  /** At most the first ten; values as texts. */
  readonly differences: readonly Difference[];
};

/** What a statement did. `sql`: it is none of ours and was not run. */
export type StatementResult =
  | {readonly kind: 'create'; readonly result: CreateResult}
  | {readonly kind: 'refresh'; readonly result: RefreshResult}
  | {readonly kind: 'drop'; readonly result: DropResult}
  | {readonly kind: 'alter'; readonly result: AlterResult}
  | {readonly kind: 'suspend'; readonly result: SuspendResult}
  | {readonly kind: 'resume'; readonly result: ResumeResult}
  | {readonly kind: 'show'; readonly result: readonly DynamicTable[]}
  | {readonly kind: 'describe'; readonly result: DynamicTableDetails}
  | {readonly kind: 'sql'; readonly text: string};

/** A name as somebody wrote it, as the key that it is. */
export function nameText(table: string): string {
  const name = readTableName(table);
  if (name === null) {
    throw new FreshetError('syntax', `"${table}" is not the name of a table.`, {
      hint: 'Write it as name or schema.name.',
    });
  }
  return tableNameText(name);
}

/** The table of that name, in any case. */
export function findRow(tables: readonly TableRow[], name: string): TableRow {
  const row = tables.find((table) => isSameName(table.name, name));
  if (row !== undefined) return row;
  throw new FreshetError('unknown_dynamic_table', `There is no dynamic table ${name}.`, {
    hint: didYouMean(
      name,
      tables.map((table) => table.name),
    ),
  });
}

export function summary(
  row: TableRow,
  tables: readonly TableRow[],
  lastRefresh: HistoryEntry | null,
  schedule: DynamicTableDetails['schedule'],
): DynamicTable {
  const {options} = row.definition;
  const suspension = suspensionOf(row, tables, schedule);
  return {
    table: row.name,
    state: row.state === 'active' && suspension !== null ? stateOf(suspension) : row.state,
    targetLag: targetLagText(options.targetLag),
    refreshMode: options.refreshMode,
    priority: options.priority ?? standardPriority,
    mode: row.mode,
    reasons: row.reasons,
    sources: row.sources,
    dataVersion: row.dataVersion,
    freshAt: row.freshAt,
    lagSeconds: row.freshAt === null ? null : Math.max(0, (Date.now() - Date.parse(row.freshAt)) / 1000),
    rows: row.rows,
    failuresInARow: row.failuresInARow,
    suspension,
    lastRefresh,
    createdAt: row.createdAt,
  };
}

function suspensionOf(
  {name, suspension}: TableRow,
  tables: readonly TableRow[],
  schedule: DynamicTableDetails['schedule'],
): Suspension | null {
  if (suspension !== null) return suspension;
  const upstream = suspendedBelow(name, tables);
  if (upstream !== null) return {kind: 'upstream', table: upstream};
  return schedule?.paused === true ? {kind: 'schedule', note: schedule.note} : null;
}

function stateOf({kind}: Suspension): DynamicTable['state'] {
  switch (kind) {
    case 'failures':
      return 'auto_suspended';
    case 'user':
    case 'upstream':
      return 'suspended';
    case 'schedule':
      return 'paused';
  }
}

/** What keeps the table from getting newer although its own schedule goes on. */
export function suspendedUpstreamsOf(name: string, tables: readonly TableRow[]): readonly SuspendedUpstream[] {
  const upstreams = transitiveUpstreamsOf(name, tables);
  return tables.flatMap(({name: table, suspension}) =>
    suspension !== null && upstreams.includes(table) ? [{table, suspension}] : [],
  );
}

export function scheduleOf(id: string, {state, info}: ScheduleDescription): DynamicTableDetails['schedule'] {
  return {
    id,
    paused: state.paused,
    note: state.note ?? null,
    nextRuns: state.paused ? [] : info.nextActionTimes.map((time) => time.toISOString()),
  };
}
