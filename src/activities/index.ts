import {activityInfo, metricMeter} from '@temporalio/activity';
import type {Activities, Located} from './activities.ts';
import {alterTable} from './alter.ts';
import {checkCardinality} from './check-cardinality.ts';
import {chooseVersion, findTables} from './choose-version.ts';
import {checkStatement, createTarget, finishCreate, reserveTable} from './create.ts';
import type {Deps} from './deps.ts';
import {beginDrop, removeTable} from './drop.ts';
import {explain} from './explain.ts';
import {extractChanges} from './extract-changes.ts';
import {failureOf} from './failures.ts';
import {heartbeating} from './heartbeating.ts';
import {lookUpSnapshots} from './look-up-snapshots.ts';
import {countAlert, countFailure, countRefresh} from '../metrics.ts';
import {maintainTable} from './maintain.ts';
import {replaceTable, restoreTable} from './replace.ts';
import {publishRefresh} from './publish-refresh.ts';
import {recordFailure, recordRefresh} from './record-refresh.ts';
import {resumeTable} from './resume.ts';
import {suspendTable} from './suspend.ts';
import {verify} from './verify.ts';

/** All activities, over what they need. Errors leave them in one form; those that compute heartbeat and can be interrupted. */
export function createActivities(deps: Deps): Activities {
  const short =
    <Input, Output>(work: (deps: Deps, input: Input) => Promise<Output>) =>
    async (input: Input): Promise<Output> => {
      try {
        return await work(deps, input);
      } catch (error) {
        throw failureOf(error, deps.scrub);
      }
    };
  const long = <Input, Output>(
    phase: string,
    work: (deps: Deps & {signal: AbortSignal}, input: Input) => Promise<Output>,
  ) =>
    short((_, input: Input) =>
      heartbeating(deps, phase, (lake, signal) => work({...opened(deps), lake, signal}, input)),
    );

  return {
    locate: short(locate),
    chooseVersion: short(chooseVersion),

    lookUpSnapshots: long('look-up', lookUpSnapshots),
    extractChanges: long('extract', extractChanges),
    checkCardinality: short((_, input) => checkCardinality(input)),
    publishRefresh: long('publish', publishRefresh),
    recordRefresh: short(async (_, input) => {
      const recorded = await recordRefresh(deps, input);
      countRefresh(metricMeter, input);
      return recorded;
    }),
    maintainTable: long('maintain', maintainTable),
    recordFailure: short(async (_, input) => {
      // Also when PostgreSQL is what has failed, and each attempt to put it down fails too.
      if (activityInfo().attempt === 1) countFailure(metricMeter, input);
      await recordFailure(deps, input);
    }),
    postAlert: short(async (_, alert) => {
      try {
        await deps.alerts.post(alert);
        countAlert(metricMeter, alert, 'taken');
      } catch (error) {
        countAlert(metricMeter, alert, 'refused');
        throw error;
      }
    }),

    checkStatement: long('check', checkStatement),
    reserveTable: short(reserveTable),
    createTarget: long('create', createTarget),
    finishCreate: short(finishCreate),
    replaceTable: long('replace', replaceTable),
    restoreTable: long('restore', restoreTable),
    beginDrop: short(beginDrop),
    removeTable: long('remove', removeTable),
    alterTable: long('alter', alterTable),
    suspendTable: short(suspendTable),
    resumeTable: short(resumeTable),

    explain: long('explain', explain),
    verify: long('verify', verify),
  };
}

/** Where this lake's work is done. A table that isn't there fails here, at once. */
async function locate(deps: Deps, {table}: {readonly table: string | null}): Promise<Located> {
  const found = table === null ? null : await findTables(deps, {table, trigger: 'manual'});
  return {...deps.site, table: found?.table.name ?? null, incarnation: found?.table.incarnation ?? null};
}

/** Deps may be getters, which are open only while a worker runs: they are asked each time. */
function opened(deps: Deps): Deps {
  const {lake, metadata, temporal, schedules, alerts, site, scrub} = deps;
  return {lake, metadata, temporal, schedules, alerts, site, scrub};
}
