import {proxyActivities, proxyLocalActivities} from '@temporalio/workflow';
import type {Activities, Site} from '../activities/activities.ts';

/**
 * How long each activity may take, and how often it is tried. What trying again won't mend says so itself where it arises:
 * `activities/failures.ts`.
 */

/** Inside the workflow's own task: a tick with nothing new is six events. */
export const {chooseVersion, locate} = proxyLocalActivities<Pick<Activities, 'chooseVersion' | 'locate'>>({
  startToCloseTimeout: '20 seconds',
  retry: {initialInterval: '200 ms', maximumInterval: '10 seconds', maximumAttempts: 8},
});

/** Short: PostgreSQL, Temporal, arithmetic. */
export const light = proxyActivities<
  Pick<
    Activities,
    | 'checkCardinality'
    | 'recordRefresh'
    | 'recordFailure'
    | 'reserveTable'
    | 'finishCreate'
    | 'beginDrop'
    | 'suspendTable'
    | 'resumeTable'
  >
>({
  startToCloseTimeout: '30 seconds',
  retry: {initialInterval: '500 ms', maximumInterval: '30 seconds', maximumAttempts: 10},
});

/** A receiver that is down for an hour misses the alert: what it says is in the history, and in the metrics. */
export const {postAlert} = proxyActivities<Pick<Activities, 'postAlert'>>({
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: '1 hour',
  retry: {initialInterval: '1 second', maximumInterval: '5 minutes'},
});

type Compute = Pick<
  Activities,
  | 'lookUpSnapshots'
  | 'extractChanges'
  | 'publishRefresh'
  | 'maintainTable'
  | 'checkStatement'
  | 'createTarget'
  | 'removeTable'
  | 'replaceTable'
  | 'restoreTable'
  | 'alterTable'
  | 'explain'
  | 'verify'
>;

/**
 * DuckDB at work. Heartbeats tell soon that a worker is gone, and are the only way by which cancellation gets
 * to a running statement.
 */
export function compute({computeTaskQueue, heartbeatSeconds}: Site) {
  return proxyActivities<Compute>({
    taskQueue: computeTaskQueue,
    startToCloseTimeout: '12 hours',
    heartbeatTimeout: `${heartbeatSeconds} seconds`,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: {initialInterval: '500 ms', maximumInterval: '30 seconds', maximumAttempts: 8},
  });
}
