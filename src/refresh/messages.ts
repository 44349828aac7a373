import type {Reason} from '../delta/reason.ts';
import type {Action, Trigger} from './action.ts';

/**
 * What crosses Temporal: table names, snapshot ids, counts and references; plain JSON, never rows and never a secret.
 * A table is named by `tableNameText`.
 */

/** Input of the workflow `refreshDynamicTable`. The table alone is enough. */
export type RefreshInput = {
  readonly table: string;
  /** The version to bring it to; without one the run chooses: a scheduled run its rung, any other the newest snapshot. */
  readonly dataVersion?: number;
  /** When `dataVersion` was the newest snapshot, ISO 8601: passed on by a run to those that it starts. */
  readonly freshAt?: string;
  /** Recompute whatever changed. */
  readonly full?: boolean;
  readonly trigger?: Trigger;
};

/** Contents of a dynamic table that are in the lake: the snapshot that published them, and what they are. */
export type Publication = {
  readonly snapshot: number;
  readonly incarnation: string;
  readonly generation: number;
  /** Goes up only when rows move. */
  readonly contents: number;
  readonly dataVersion: number;
  readonly rows: number;
};

export type RefreshResult = {
  readonly table: string;
  /**
   * refreshed: this run published; no-data: nothing to do; joined: another run did it meanwhile; ahead: the table is past the
   * version asked for (`dataVersion` says where; only a root run chooses again); superseded: the root gave up choosing;
   * suspended: a scheduled run of a table that is suspended does nothing.
   */
  readonly outcome: 'refreshed' | 'no-data' | 'joined' | 'ahead' | 'superseded' | 'suspended';
  readonly dataVersion: number;
  readonly publication: Publication | null;
  readonly refresh: RefreshSummary | null;
};

/** Answer of `chooseVersion`. */
export type Choice =
  | {readonly kind: 'no-data'; readonly dataVersion: number; readonly publication: Publication}
  | {readonly kind: 'ahead'; readonly dataVersion: number}
  /** The version stays the one that its contents answer for; 0 before they answer for any. */
  | {readonly kind: 'suspended'; readonly dataVersion: number}
  | {
      readonly kind: 'refresh';
      readonly dataVersion: number;
      /** The dynamic tables it reads directly. */
      readonly upstreams: readonly string[];
      /** Run id of the apply that is open now, to be waited for. */
      readonly running: string | null;
      /** Whether other dynamic tables read it: a FULL then publishes the difference. */
      readonly hasReaders: boolean;
    };

/** Input of the workflow `applyRefresh`. */
export type ApplyInput = {
  readonly table: string;
  readonly dataVersion: number;
  readonly upstreams: Readonly<Record<string, Publication>>;
  readonly full: boolean;
  readonly hasReaders: boolean;
  readonly trigger: Trigger;
};

/** What a refresh must agree with to be let in: see `lake/state.ts`. */
export type Fence = {readonly incarnation: string; readonly generation: number};

/** One source in one refresh. `from` null: nothing taken in yet. */
export type SourceRange = {
  readonly source: string;
  readonly from: number | null;
  readonly to: number;
  /** Time of snapshot `to`, ISO 8601 in UTC. */
  readonly toTime: string;
  /** Rows at `from`, as counted when they were taken in. */
  readonly rowsFrom: number | null;
  /** Parts of (from, to] whose feed is to be read, both ends inclusive, and what is in them. Empty: unchanged. */
  readonly parts: readonly {
    readonly first: number;
    readonly last: number;
    readonly inserts: boolean;
    readonly deletes: boolean;
  }[];
  /** `rewrite_data_files` in (from, to]: DuckLake may show more rows at `from` now than were read there. */
  readonly isRewritten: boolean;
  /** For a dynamic table, which of its contents. */
  readonly upstream: {readonly incarnation: string; readonly contents: number} | null;
};

/** Answer of `lookUpSnapshots`: everything a refresh depends on, fixed by value, so that a retry means the same. */
export type LookUp =
  | {readonly kind: 'current'; readonly publication: Publication}
  /** The table is past the version asked for, or that can't be relied on any more: another one is to be chosen. */
  | {readonly kind: 'ahead'; readonly dataVersion: number}
  | {
      readonly kind: 'refresh';
      readonly dataVersion: number;
      readonly fence: Fence;
      readonly contents: number;
      readonly rows: number;
      readonly sources: readonly SourceRange[];
      /** What the least action is, before anything is counted; null: incremental, as far as is known here. */
      readonly forced: {readonly action: 'INITIAL' | 'FULL' | 'REINITIALIZE'; readonly reason: Reason} | null;
    };

/** Answer of `extractChanges`. Files lie in the staging folder of the refresh. */
export type Extraction =
  | {
      readonly kind: 'staged';
      readonly sources: readonly StagedSource[];
      readonly keys: readonly StagedKeys[];
      /** The table's CARDINALITY_THRESHOLD. */
      readonly threshold: number;
      readonly statements: readonly StatementProfile[];
    }
  | {readonly kind: 'untrusted'; readonly reason: Reason; readonly statements: readonly StatementProfile[]};

export type StagedSource = {
  readonly source: string;
  /** Null: nothing in it after netting. */
  readonly file: string | null;
  readonly inserted: number;
  readonly deleted: number;
  /** Real count at `to`. */
  readonly rowsTo: number;
};

export type StagedKeys = {
  readonly name: string;
  readonly file: string | null;
  readonly count: number;
  /** Rows of the lake that recomputing these keys has to read. */
  readonly rowsBelow: number;
};

/** Answer of `checkCardinality`. */
export type Decision = {
  readonly action: Action;
  readonly reason: Reason | null;
  /** Rows the incremental way reads ÷ rows that FULL reads; null when there is nothing to divide. */
  readonly ratio: number | null;
  readonly changedRows: number;
  readonly affectedKeys: number;
};

/** Answer of `publishRefresh`. */
export type Published =
  | {readonly kind: 'published'; readonly publication: Publication; readonly summary: PublishedSummary}
  /** Somebody else published first; the fence kept us out. */
  | {readonly kind: 'lost'}
  /** What was staged is gone or no longer agrees with the lake. */
  | {readonly kind: 'extract-again'; readonly why: string}
  /** The incremental way can't be trusted or failed on the data: once more, fully. */
  | {readonly kind: 'full-instead'; readonly reason: Reason};

export type PublishedSummary = {
  readonly action: Action;
  readonly reason: Reason | null;
  readonly rowsDeleted: number;
  readonly rowsInserted: number;
  readonly recomputed: 'none' | 'keys' | 'all';
  readonly rowsScanned: number;
  readonly statements: readonly StatementProfile[];
};

/** A statement that DuckDB runs now. What is done of its work is an estimate; null where DuckDB makes none. */
export type StatementProgress = {
  /** Null for one that is not in the profile. */
  readonly label: string | null;
  readonly seconds: number;
  readonly percent: number | null;
  /** Rows of all its steps together: one that passes two of them counts twice. */
  readonly rows: number | null;
  readonly totalRows: number | null;
};

/** What an activity that computes says in its heartbeats. */
export type Heartbeat = {readonly phase: string; readonly statement: StatementProgress | null};

/** One SQL statement of a refresh. */
export type StatementProfile = {
  readonly label: string;
  readonly sql: string;
  readonly ms: number;
  readonly rows: number | null;
};

/** What one refresh did, for the history and for people. */
export type RefreshSummary = {
  readonly action: Action;
  readonly reason: string | null;
  readonly sources: readonly {
    readonly source: string;
    readonly from: number | null;
    readonly to: number;
    readonly changedRows: number;
  }[];
  readonly changedRows: number;
  readonly affectedKeys: number;
  readonly ratio: number | null;
  readonly rowsDeleted: number;
  readonly rowsInserted: number;
  readonly recomputed: 'none' | 'keys' | 'all';
  readonly rowsScanned: number;
  readonly rows: number;
  /** Milliseconds by phase: lookUp, extract, check, publish. */
  readonly phases: Readonly<Record<string, number>>;
};
