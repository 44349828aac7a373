import type {StoredColumn} from '../binder/bound.ts';
import type {ErrorCode} from '../errors.ts';
import type {Trigger} from '../refresh/action.ts';
import type {RefreshResult} from '../refresh/messages.ts';

/** What goes into and comes out of the workflows, besides the refresh's own messages: plain JSON. */

/** Names of the workflow types, as they appear in Temporal. */
export const workflowTypes = {
  refresh: 'refreshDynamicTable',
  apply: 'applyRefresh',
  create: 'createDynamicTable',
  drop: 'dropDynamicTable',
  explain: 'explainDynamicTable',
  verify: 'verifyDynamicTable',
  maintain: 'maintainDynamicTable',
  applyMaintenance: 'applyMaintenance',
  alter: 'alterDynamicTable',
  suspend: 'suspendDynamicTable',
  resume: 'resumeDynamicTable',
  alert: 'sendAlert',
} as const;

/** `dryRun`: only check the statement and say what it would become. */
export type CreateInput = {
  readonly statement: string;
  readonly dryRun?: boolean;
  /** For a dry run among others: what those will have made. That there is such a table as its own already is no mistake then. */
  readonly assumed?: readonly AssumedTable[];
};

/** A table that a query is checked over as if the lake had it, or had it so. */
export type AssumedTable = {
  readonly table: string;
  readonly columns: readonly {readonly name: string; readonly type: string}[];
};

export type CreateResult = {
  readonly table: string;
  /** replaced: `OR REPLACE` found it; exists: `IF NOT EXISTS` did; dry-run: nothing was made. */
  readonly outcome: 'created' | 'replaced' | 'exists' | 'dry-run';
  readonly columns: readonly StoredColumn[];
  readonly sources: readonly string[];
  /** How it will be refreshed from the second time on. */
  readonly mode: 'incremental' | 'full';
  /** In words, why it is full; empty when it is incremental. */
  readonly reasons: readonly string[];
  /** The first refresh; null with INITIALIZE = ON_SCHEDULE, on a dry run, or when the table existed. */
  readonly refresh: RefreshResult | null;
};

export type DropInput = {readonly table: string; readonly ifExists?: boolean};

/** absent: `IF EXISTS` found nothing. */
export type DropResult = {readonly table: string; readonly outcome: 'dropped' | 'absent'};

/** A CREATE DYNAMIC TABLE statement, a query, or the name of a dynamic table. */
export type ExplainInput = {readonly statement: string} | {readonly table: string};

export type Explanation = {
  /** Null for a bare query. */
  readonly table: string | null;
  readonly query: string;
  readonly mode: 'incremental' | 'full';
  /** In words, why it is full; empty when it is incremental. */
  readonly reasons: readonly string[];
  readonly columns: readonly StoredColumn[];
  readonly sources: readonly {readonly table: string; readonly columns: readonly string[]}[];
  /** The query as Freshet reads it, printed; null where it can only be run as a whole. */
  readonly relation: string | null;
  /** The statements of an incremental refresh, in order; empty when it is full. */
  readonly statements: readonly {readonly label: string; readonly sql: string}[];
};

export type VerifyInput = {readonly table: string};

/** What `verify` found, without the differing rows: those are in the metadata, never in a workflow's history. */
export type VerifyResult = {
  readonly table: string;
  /** history-changed: the lake's history changed under the table after it was published, so the two can't be compared. */
  readonly verdict: 'equal' | 'different' | 'history-changed';
  readonly dataVersion: number;
  /** The publication whose rows were compared. */
  readonly snapshot: number;
  readonly rows: number;
  /** Rows of the query that the table lacks. */
  readonly missing: number;
  /** Rows of the table that the query doesn't give. */
  readonly unexpected: number;
  /** What happened to the history, or which tolerance was used; null when there is nothing to add. */
  readonly note: string | null;
  /** Id of the row in the metadata that has the first differing rows. */
  readonly verificationId: number | null;
  readonly milliseconds: number;
};

/** An ALTER DYNAMIC TABLE … SET or RENAME statement. */
export type AlterInput = {readonly statement: string};

export type AlterResult = {
  /** As it is called now. */
  readonly table: string;
  /** unchanged: it was so already. */
  readonly outcome: 'altered' | 'unchanged';
  /** How it is refreshed from now on. */
  readonly mode: 'incremental' | 'full';
  /** In words, why it is full; empty when it is incremental. */
  readonly reasons: readonly string[];
};

export type SuspendInput = {readonly table: string};

export type SuspendResult = {
  readonly table: string;
  /** unchanged: it had been suspended by hand before. */
  readonly outcome: 'suspended' | 'unchanged';
  /** The tables that read it, directly or not, and stand still with it. */
  readonly readers: readonly string[];
};

export type ResumeInput = {readonly table: string};

export type ResumeResult = {
  readonly table: string;
  /** active: nothing had kept it from its schedule; upstream_suspended: a table below it still does. */
  readonly outcome: 'resumed' | 'active' | 'upstream_suspended';
  /** The tables that read it, directly or not, and go on with it. */
  readonly readers: readonly string[];
  /** The table below that has to be resumed first; null when there is none. */
  readonly suspendedUpstream: string | null;
};

/** What somebody should know: the body that is sent to FRESHET_ALERT_URL (docs/alerts.md), and the input of `sendAlert`. */
export type Alert = {
  /** The same for every attempt to send it. */
  readonly id: string;
  readonly table: string;
  /** ISO 8601. */
  readonly at: string;
  /** What happened, in a sentence. */
  readonly message: string;
} & (
  | {
      readonly kind: 'failure' | 'suspension';
      readonly code: ErrorCode;
      readonly error: string;
      readonly trigger: Trigger;
      /** Scheduled runs that have failed since the last success; null when PostgreSQL did not say. */
      readonly failuresInARow: number | null;
      readonly workflowId: string;
      readonly runId: string;
    }
  | {
      readonly kind: 'missed_lag';
      readonly targetLagSeconds: number;
      /** How old the contents are. */
      readonly lagSeconds: number;
      readonly freshAt: string;
    }
);

export type MaintainInput = {readonly table: string};

/** Live files of a table: `small` are those data files that would go into a larger one. */
export type FileCounts = {readonly data: number; readonly small: number; readonly deletes: number};

/** What the maintenance of one table found and did. */
export type Maintained = {
  readonly before: FileCounts;
  readonly after: FileCounts;
  /** How many rows it holds and should hold; null when that is the same. */
  readonly damage: {readonly expected: number; readonly found: number} | null;
};

export type MaintainResult = Pick<Maintained, 'before' | 'after'> & {
  readonly table: string;
  /** rebuilt: it did not hold the rows that the last refresh had left in it. */
  readonly outcome: 'maintained' | 'nothing-to-do' | 'rebuilt';
  /** Why it was rebuilt. */
  readonly reason: string | null;
};

/** Where a refresh is now: answer of the query `progress` of `refreshDynamicTable` and `applyRefresh`. */
export type RefreshProgress = {
  readonly table: string;
  readonly phase:
    'choose' | 'upstreams' | 'wait' | 'apply' | 'look-up' | 'extract' | 'check' | 'publish' | 'record' | 'done';
  /** The lines that the Web UI shows under "current details". */
  readonly details: readonly string[];
  /** The apply that does the work, or is waited for; it answers the same query with the finer phases. */
  readonly apply: {readonly workflowId: string} | null;
};

export const progressQuery = 'progress';
