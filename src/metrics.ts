import type {MetricMeter} from '@temporalio/common';
import type {RecordFailureInput, RecordInput} from './activities/activities.ts';
import type {TableRow} from './metadata/dynamic-table.ts';
import type {Alert} from './workflows/messages.ts';

/**
 * Every metric of ours; they come out of the same endpoint as the SDK's own, beside whose labels (namespace, task queue …)
 * stand these. Durations are in milliseconds; units are added to the names by the exporter.
 */
export const metrics = {
  refreshes: {
    name: 'freshet_refreshes',
    description: 'Refreshes that published',
    labels: ['table', 'action', 'trigger'],
  },
  failures: {name: 'freshet_refresh_failures', description: 'Refreshes that failed', labels: ['table', 'code']},
  phase: {name: 'freshet_refresh_phase', description: 'Duration of one phase', labels: ['table', 'phase']},
  changedRows: {name: 'freshet_changed_rows', description: 'Rows that came or went in the sources', labels: ['table']},
  writtenRows: {
    name: 'freshet_written_rows',
    description: 'Rows deleted from and inserted into the table',
    labels: ['table'],
  },
  scannedRows: {name: 'freshet_scanned_rows', description: 'Rows that the refresh had to read', labels: ['table']},
  rows: {name: 'freshet_table_rows', description: 'Rows of the table', labels: ['table']},
  lag: {
    name: 'freshet_publication_lag',
    description: 'From the choice of a version to its publication',
    labels: ['table'],
  },
  tables: {name: 'freshet_tables', description: 'Dynamic tables', labels: []},
  age: {name: 'freshet_lag', description: 'How old the contents are', labels: ['table']},
  targetLag: {name: 'freshet_target_lag', description: 'How old they may become', labels: ['table']},
  failuresInARow: {
    name: 'freshet_failures_in_a_row',
    description: 'Scheduled refreshes that have failed since the last success',
    labels: ['table'],
  },
  suspended: {name: 'freshet_suspended', description: '1 while the table is suspended', labels: ['table']},
  alerts: {name: 'freshet_alert_posts', description: 'Attempts to send an alert', labels: ['kind', 'outcome']},
} as const;

/** Bounds for histograms; the SDK's own begin at 50. */
export const histogramBuckets: Readonly<Record<string, number[]>> = {
  [metrics.phase.name]: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 60_000, 600_000],
  [metrics.lag.name]: [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 600_000, 3_600_000],
  [metrics.changedRows.name]: [0, 1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000],
};

export function countRefresh(meter: MetricMeter, {table, trigger, freshAt, publication, summary}: RecordInput): void {
  const {refreshes, phase, changedRows, writtenRows, scannedRows, rows, lag} = metrics;
  meter
    .createCounter(refreshes.name, undefined, refreshes.description)
    .add(1, {table, trigger, action: summary.action});
  const durations = meter.createHistogram(phase.name, 'float', 'ms', phase.description);
  for (const [name, milliseconds] of Object.entries(summary.phases))
    durations.record(milliseconds, {table, phase: name});
  meter
    .createHistogram(changedRows.name, 'int', undefined, changedRows.description)
    .record(summary.changedRows, {table});
  const written = summary.rowsDeleted + summary.rowsInserted;
  meter.createCounter(writtenRows.name, undefined, writtenRows.description).add(written, {table});
  meter.createCounter(scannedRows.name, undefined, scannedRows.description).add(summary.rowsScanned, {table});
  meter.createGauge(rows.name, 'int', undefined, rows.description).set(publication.rows, {table});
  const behind = Math.max(0, Date.now() - Date.parse(freshAt));
  meter.createHistogram(lag.name, 'float', 'ms', lag.description).record(behind, {table});
}

/** What the metadata say of each table, now. A table without a target lag, or without contents yet, has no gauge for it. */
export function showTables(meter: MetricMeter, tables: readonly TableRow[], now: number): void {
  const {tables: count, age, targetLag, failuresInARow, suspended} = metrics;
  meter.createGauge(count.name, 'int', undefined, count.description).set(tables.length);
  for (const {name: table, freshAt, definition, failuresInARow: failures, suspension} of tables) {
    const {targetLag: lag} = definition.options;
    if (freshAt !== null)
      meter
        .createGauge(age.name, 'float', 's', age.description)
        .set(Math.max(0, now - Date.parse(freshAt)) / 1000, {table});
    if (lag.kind === 'seconds')
      meter.createGauge(targetLag.name, 'float', 's', targetLag.description).set(lag.seconds, {table});
    meter.createGauge(failuresInARow.name, 'int', undefined, failuresInARow.description).set(failures, {table});
    meter
      .createGauge(suspended.name, 'int', undefined, suspended.description)
      .set(suspension === null ? 0 : 1, {table});
  }
}

/** A gauge can't be taken back: of a table that was dropped they say that all is well. */
export function showDropped(meter: MetricMeter, table: string): void {
  const {age, failuresInARow, suspended} = metrics;
  meter.createGauge(age.name, 'float', 's', age.description).set(0, {table});
  meter.createGauge(failuresInARow.name, 'int', undefined, failuresInARow.description).set(0, {table});
  meter.createGauge(suspended.name, 'int', undefined, suspended.description).set(0, {table});
}

export function countAlert(meter: MetricMeter, {kind}: Alert, outcome: 'taken' | 'refused'): void {
  const {name, description} = metrics.alerts;
  meter.createCounter(name, undefined, description).add(1, {kind, outcome});
}

export function countFailure(meter: MetricMeter, {table, code}: RecordFailureInput): void {
  const {name, description} = metrics.failures;
  meter.createCounter(name, undefined, description).add(1, {table, code});
}
