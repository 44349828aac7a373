import type {Client} from '@temporalio/client';
import type {TargetLag} from '../definition/definition.ts';
import type {Lake} from '../lake/lake.ts';
import type {Metadata} from '../metadata/database.ts';
import type {Alert} from '../workflows/messages.ts';
import type {Site} from './activities.ts';

/** What the activities work with. The worker makes the real ones; tests make theirs. */
export type Deps = {
  readonly lake: Lake;
  readonly metadata: Metadata;
  /** Temporal, for schedules and for a look at what runs. */
  readonly temporal: () => Client;
  readonly schedules: Schedules;
  readonly alerts: Alerts;
  readonly site: Site;
  /** Takes every secret out of a text that leaves the worker. */
  readonly scrub: (text: string) => string;
};

/** The schedules of this lake's tables. All may be called again after they have died anywhere. */
export type Schedules = {
  readonly create: (request: ScheduleRequest) => Promise<void>;
  /** Its lag and its words; where it runs and whether it is paused stay. */
  readonly change: (request: Omit<ScheduleRequest, 'taskQueue'>) => Promise<void>;
  /** What its schedule is becomes that of another name; whether it is paused stays. */
  readonly rename: (from: string, request: Omit<ScheduleRequest, 'taskQueue'>) => Promise<void>;
  readonly delete: (table: string) => Promise<void>;
  /** Stops its ticks; the note says why. */
  readonly pause: (table: string, note: string) => Promise<void>;
  /** What is noted on a schedule that is paused; null when it is not. */
  readonly noteOfPause: (table: string) => Promise<string | null>;
  /** Has it tick again, also one that Temporal has lost; false when it had never stopped. */
  readonly resume: (request: ScheduleRequest) => Promise<boolean>;
};

/** Where alerts go. With nobody to receive them both do nothing. */
export type Alerts = {
  /** Has an alert sent, in a workflow of its own; only the first of an id is. */
  readonly raise: (alert: Alert) => Promise<void>;
  /** Sends it, once. */
  readonly post: (alert: Alert) => Promise<void>;
};

export type ScheduleRequest = {
  readonly table: string;
  /** Where its runs are to be done. */
  readonly taskQueue: string;
  readonly targetLag: TargetLag;
  readonly mode: 'incremental' | 'full';
};
