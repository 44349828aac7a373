import type {MetricMeter} from '@temporalio/common';
import type {RecordFailureInput, RecordInput} from './activities/activities.ts';
import {suspendedBelow, type TableRow} from './metadata/dynamic-table.ts';
import type {Alert} from './workflows/messages.ts';

export type Metric = {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  /** Of a histogram; it becomes a part of the exported name. */
  readonly unit?: 'ms';
  readonly description: string;
  readonly labels: readonly string[];
};

/**
 * Every metric of ours; they come out of the same endpoint as the SDK's own, beside whose labels (namespace, task queue …)
 * stand these. What the exporter adds to the names is in `exportedName`.
 */
export const metrics = {
  refreshes: {
    kind: 'counter',
    name: 'freshet_refreshes',
    description: 'Refreshes that published',
    labels: ['table', 'action', 'trigger'],
  },
  failures: {
    kind: 'counter',
    name: 'freshet_refresh_failures',
    description: 'Refreshes that failed',
    labels: ['table', 'code'],
  },
  phase: {
    kind: 'histogram',
    name: 'freshet_refresh_phase',
    unit: 'ms',
    description: 'Duration of one phase',
    labels: ['table', 'phase'],
  },
  changedRows: {
    kind: 'histogram',
    name: 'freshet_changed_rows',
    description: 'Rows that came or went in the sources',
    labels: ['table'],
  },
  writtenRows: {
    kind: 'counter',
    name: 'freshet_written_rows',
    description: 'Rows deleted from and inserted into the table',
    labels: ['table'],
  },
  scannedRows: {
    kind: 'counter',
    name: 'freshet_scanned_rows',
    description: 'Rows that the refresh had to read',
    labels: ['table'],
  },
  rows: {kind: 'gauge', name: 'freshet_table_rows', description: 'Rows of the table', labels: ['table']},
  publicationLag: {
    kind: 'histogram',
    name: 'freshet_publication_lag',
    unit: 'ms',
    description: 'From the choice of a version to its publication',
    labels: ['table'],
  },
  tables: {kind: 'gauge', name: 'freshet_tables', description: 'Dynamic tables', labels: []},
  lag: {kind: 'gauge', name: 'freshet_lag_seconds', description: 'How old the contents are', labels: ['table']},
  targetLag: {
    kind: 'gauge',
    name: 'freshet_target_lag_seconds',
    description: 'How old the contents may become',
    labels: ['table'],
  },
  failuresInARow: {
    kind: 'gauge',
    name: 'freshet_failures_in_a_row',
    description: 'Scheduled refreshes that have failed since the last success',
    labels: ['table'],
  },
  suspended: {
    kind: 'gauge',
    name: 'freshet_suspended',
    description: '1 while the table is suspended for its failures',
    labels: ['table'],
  },
  suspendedByHand: {
    kind: 'gauge',
    name: 'freshet_suspended_by_hand',
    description: '1 while somebody has suspended the table, or one that it reads',
    labels: ['table'],
  },
  alertPosts: {
    kind: 'counter',
    name: 'freshet_alert_posts',
    description: 'Attempts to send an alert',
    labels: ['kind', 'outcome'],
  },
} as const satisfies Record<string, Metric>;

/** The name under which Prometheus knows a metric; a histogram's series have `_bucket`, `_sum` or `_count` after it. */
export function exportedName({kind, name, unit}: Metric): string {
  return `${name}${unit === undefined ? '' : `_${unit}`}${kind === 'counter' ? '_total' : ''}`;
}

/** Bounds for histograms; the SDK's own begin at 50. */
export const histogramBuckets: Readonly<Record<string, number[]>> = {
  [metrics.phase.name]: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 60_000, 600_000],
  [metrics.publicationLag.name]: [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 600_000, 3_600_000],
  [metrics.changedRows.name]: [0, 1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000],
};

type Labels<M extends Metric> = Readonly<Record<M['labels'][number], string>>;

function add<M extends Metric & {kind: 'counter'}>(meter: MetricMeter, metric: M, by: number, labels: Labels<M>): void {
  meter.createCounter(metric.name, undefined, metric.description).add(by, labels);
}

function set<M extends Metric & {kind: 'gauge'}>(meter: MetricMeter, metric: M, to: number, labels: Labels<M>): void {
  meter.createGauge(metric.name, 'float', undefined, metric.description).set(to, labels);
}

function record<M extends Metric & {kind: 'histogram'}>(
  meter: MetricMeter,
  metric: M,
  value: number,
  labels: Labels<M>,
): void {
  meter.createHistogram(metric.name, 'float', metric.unit, metric.description).record(value, labels);
}

export function countRefresh(meter: MetricMeter, {table, trigger, freshAt, publication, summary}: RecordInput): void {
  add(meter, metrics.refreshes, 1, {table, trigger, action: summary.action});
  for (const [phase, milliseconds] of Object.entries(summary.phases))
    record(meter, metrics.phase, milliseconds, {table, phase});
  record(meter, metrics.changedRows, summary.changedRows, {table});
  add(meter, metrics.writtenRows, summary.rowsDeleted + summary.rowsInserted, {table});
  add(meter, metrics.scannedRows, summary.rowsScanned, {table});
  set(meter, metrics.rows, publication.rows, {table});
  record(meter, metrics.publicationLag, Math.max(0, Date.now() - Date.parse(freshAt)), {table});
}

export function countFailure(meter: MetricMeter, {table, code}: RecordFailureInput): void {
  add(meter, metrics.failures, 1, {table, code});
}

export function countAlert(meter: MetricMeter, {kind}: Alert, outcome: 'taken' | 'refused'): void {
  add(meter, metrics.alertPosts, 1, {kind, outcome});
}

/** What the metadata say of each table, now. Without contents there is no lag yet, and with DOWNSTREAM no target lag. */
export function showTables(meter: MetricMeter, tables: readonly TableRow[], now: number): void {
  set(meter, metrics.tables, tables.length, {});
  for (const {name: table, freshAt, definition, failuresInARow, suspension} of tables) {
    const {targetLag} = definition.options;
    if (freshAt !== null) set(meter, metrics.lag, Math.max(0, now - Date.parse(freshAt)) / 1000, {table});
    if (targetLag.kind === 'seconds') set(meter, metrics.targetLag, targetLag.seconds, {table});
    set(meter, metrics.failuresInARow, failuresInARow, {table});
    const isSuspended = suspension?.kind === 'user' || suspendedBelow(table, tables) !== null;
    set(meter, metrics.suspendedByHand, isSuspended ? 1 : 0, {table});
    set(meter, metrics.suspended, suspension?.kind === 'failures' ? 1 : 0, {table});
  }
}

/** A gauge can't be taken back: a table with DOWNSTREAM that had a target lag before may now be as old as it likes. */
export function showNoTargetLag(meter: MetricMeter, table: string): void {
  set(meter, metrics.targetLag, Infinity, {table});
}

/** Of a table that was dropped they say that all is well. */
export function showDropped(meter: MetricMeter, table: string): void {
  for (const metric of [metrics.lag, metrics.failuresInARow, metrics.suspended, metrics.suspendedByHand])
    set(meter, metric, 0, {table});
}
