import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
} from '@temporalio/client';
import type {Schedules, ScheduleRequest} from './activities/deps.ts';
import {periodSeconds, targetLagText} from './definition/target-lag.ts';
import {renamedNote, scheduleNote} from './schedule-note.ts';
import {scheduleId} from './temporal-names.ts';
import {workflowTypes} from './workflows/messages.ts';

/**
 * A table's lag as a Temporal schedule. Periods divide one another and begin at the epoch, so that tables tick together and
 * read one snapshot. A tick that would overlap is left out: the run at work, or the next one, does its work. No jitter: it
 * would move tables off their common ticks.
 */
export function openSchedules(temporal: () => Client, prefix: string): Schedules {
  const create = async (request: ScheduleRequest): Promise<void> => {
    const options = scheduleOf(prefix, request);
    try {
      await temporal().schedule.create(options);
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      // Our own earlier attempt, or what was left of a table of that name.
      await temporal()
        .schedule.getHandle(options.scheduleId)
        .update(() => options);
    }
  };
  const remove = async (table: string): Promise<void> => {
    try {
      await temporal().schedule.getHandle(scheduleId(prefix, table)).delete();
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    }
  };
  return {
    create,
    rename: async (from, request) => {
      try {
        const {action, state} = await temporal().schedule.getHandle(scheduleId(prefix, from)).describe();
        await create({...request, taskQueue: action.taskQueue});
        if (state.paused) {
          const note = renamedNote(state.note ?? '', from, request.table);
          await temporal().schedule.getHandle(scheduleId(prefix, request.table)).pause(note);
        }
        await remove(from);
      } catch (error) {
        // An earlier attempt has done it, or Temporal had lost it.
        if (!(error instanceof ScheduleNotFoundError)) throw error;
      }
    },
    change: async (request) => {
      try {
        await temporal()
          .schedule.getHandle(scheduleId(prefix, request.table))
          .update(({action, state: {paused, note}}) => {
            const options = scheduleOf(prefix, {...request, taskQueue: action.taskQueue});
            return paused ? {...options, state: {paused, note: note ?? ''}} : options;
          });
      } catch (error) {
        // Whoever makes it anew will make it so.
        if (!(error instanceof ScheduleNotFoundError)) throw error;
      }
    },
    delete: remove,
    pause: async (table, note) => {
      try {
        await temporal().schedule.getHandle(scheduleId(prefix, table)).pause(note);
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
      }
    },
    noteOfPause: async (table) => {
      try {
        const {state} = await temporal().schedule.getHandle(scheduleId(prefix, table)).describe();
        return state.paused ? (state.note ?? '') : null;
      } catch (error) {
        if (error instanceof ScheduleNotFoundError) return null;
        throw error;
      }
    },
    resume: async (request) => {
      const handle = temporal().schedule.getHandle(scheduleId(prefix, request.table));
      try {
        const {state} = await handle.describe();
        if (state.paused) await handle.unpause(scheduleNote(request.targetLag, request.mode));
        return state.paused;
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
        await create(request);
        return true;
      }
    },
  };
}

function scheduleOf(prefix: string, {table, taskQueue, targetLag, mode}: ScheduleRequest): ScheduleOptions & Updatable {
  const lag = targetLagText(targetLag);
  const seconds = periodSeconds(targetLag);
  return {
    scheduleId: scheduleId(prefix, table),
    spec: {intervals: [{every: seconds * 1000}]},
    action: {
      type: 'startWorkflow',
      workflowType: workflowTypes.refresh,
      workflowId: scheduleId(prefix, table),
      taskQueue,
      args: [{table}],
      staticSummary: `refresh ${table} (target lag ${lag})`.slice(0, 190),
    },
    policies: {overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1m', pauseOnFailure: false},
    state: {note: scheduleNote(targetLag, mode), paused: false},
  };
}

/** What an update takes is what a creation takes, with a state that is complete. */
type Updatable = {readonly state: {readonly note: string; readonly paused: boolean}};
