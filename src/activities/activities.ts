import type {ErrorCode} from '../errors.ts';
import type {StoredDefinition} from '../lake/state.ts';
import type {Trigger} from '../refresh/action.ts';
import type {
  ApplyInput,
  Choice,
  Decision,
  Extraction,
  LookUp,
  Published,
  Publication,
  RefreshSummary,
  StatementProfile,
} from '../refresh/messages.ts';
import type {
  Alert,
  AlterInput,
  AlterResult,
  CreateInput,
  CreateResult,
  DropInput,
  ExplainInput,
  Explanation,
  Maintained,
  ResumeInput,
  ResumeResult,
  SuspendInput,
  SuspendResult,
  VerifyInput,
  VerifyResult,
} from '../workflows/messages.ts';

/** What a workflow asks of Node, DuckDB and PostgreSQL. Every one may run twice, at once, or die anywhere. */
export type Activities = {
  /** v, and whether there is anything to do; when there is not, only the metadata moves. Short: a local activity. */
  readonly chooseVersion: (input: ChooseInput) => Promise<Chosen>;
  readonly lookUpSnapshots: (input: LookUpInput) => Promise<LookUp>;
  readonly extractChanges: (input: LookUpInput & {readonly lookUp: RefreshLookUp}) => Promise<Extraction>;
  readonly checkCardinality: (input: CheckInput) => Promise<Decision>;
  readonly publishRefresh: (input: PublishInput) => Promise<Published>;
  /** Answers whether the table's files are so many that they should be made few. */
  readonly recordRefresh: (input: RecordInput) => Promise<{readonly isMaintenanceDue: boolean}>;
  /** Makes few files of many, and counts what the table holds. */
  readonly maintainTable: (input: {readonly table: string}) => Promise<Maintained>;
  /** Puts a failed run down in the history, suspends the table after too many in a row, and has it told. */
  readonly recordFailure: (input: RecordFailureInput) => Promise<void>;
  /** Posts an alert to its receiver. */
  readonly postAlert: (alert: Alert) => Promise<void>;

  /**
   * What this lake is called in Temporal, and the table as it was created; one that isn't there fails here, with the one that was
   * meant.
   */
  readonly locate: (input: {readonly table: string | null}) => Promise<Located>;
  /** Parses, binds and judges a statement, and says what it would become. */
  readonly checkStatement: (input: Pick<CreateInput, 'statement' | 'assumed'>) => Promise<CreatePlan>;
  /** Takes the name; undoes what a statement that was cut off has left under it. */
  readonly reserveTable: (input: ReserveInput) => Promise<void>;
  /** The target and its state row, both empty. */
  readonly createTarget: (input: TableIncarnation) => Promise<void>;
  /** The table is there for everybody: its schedule begins. */
  readonly finishCreate: (input: TableIncarnation & {readonly taskQueue: string}) => Promise<void>;
  /** Gives a table that is there another query: its next refresh begins anew. */
  readonly replaceTable: (input: ReplaceInput) => Promise<void>;
  /** Puts the former query back, where none has been published under the new one. */
  readonly restoreTable: (input: ReplaceInput) => Promise<void>;
  /** Makes sure that it may go, and cancels the refresh that runs. Null: there is no such table. */
  readonly beginDrop: (input: DropInput) => Promise<DropBegun | null>;
  /** Takes away whatever there is of it: schedule, target, state row, metadata. The end of a drop, and of a failed create. */
  readonly removeTable: (input: TableIncarnation) => Promise<void>;

  /** Carries out ALTER DYNAMIC TABLE … SET or RENAME. */
  readonly alterTable: (input: AlterInput & TableIncarnation & {readonly run: RunId}) => Promise<AlterResult>;
  /** Has the table stand still, and with it those that read it. */
  readonly suspendTable: (input: SuspendInput & {readonly runId: string}) => Promise<SuspendResult>;
  /** Has the table's schedule go on, and that of each reader which stood still with it or had failed too often. */
  readonly resumeTable: (input: ResumeInput & {readonly taskQueue: string}) => Promise<ResumeResult>;

  readonly explain: (input: ExplainInput) => Promise<Explanation>;
  readonly verify: (input: VerifyInput) => Promise<VerifyResult>;
};

/** The names that this lake goes by in Temporal: the workflow can't know the configuration, so an activity says it. */
export type Site = {
  readonly prefix: string;
  readonly computeTaskQueue: string;
  /** A worker that is silent for so long while a statement runs is taken for dead. */
  readonly heartbeatSeconds: number;
};

export type Located = Site & {readonly table: string | null; readonly incarnation: string | null};

export type RunId = {readonly workflowId: string; readonly runId: string};

export type ChooseInput = {
  readonly table: string;
  /** What to bring it to; null: it is for this run to choose. */
  readonly dataVersion: number | null;
  /** When `dataVersion` was the newest snapshot; null with it. */
  readonly freshAt: string | null;
  /** Nominal time of the tick that started the run; null when it was no tick. */
  readonly scheduledTime: string | null;
  readonly full: boolean;
  readonly trigger: Trigger;
  readonly run: RunId;
};

export type Chosen = {
  /** The table's name as it was created: it may have been asked for in another case. */
  readonly table: string;
  readonly choice: Choice;
  /** When the version chosen was the newest snapshot. */
  readonly freshAt: string;
  /** Of the table; runs of before there was one have none. */
  readonly priority?: number;
  readonly site: Site;
};

export type LookUpInput = {readonly apply: ApplyInput; readonly refreshId: string};

/** A look-up that found something to do. */
export type RefreshLookUp = Extract<LookUp, {kind: 'refresh'}>;

export type CheckInput = {
  readonly apply: ApplyInput;
  readonly lookUp: RefreshLookUp;
  readonly extraction: Extraction;
};

export type PublishInput = LookUpInput & {
  readonly lookUp: RefreshLookUp;
  readonly extraction: Extraction;
  readonly decision: Decision;
};

export type RecordInput = {
  readonly table: string;
  readonly trigger: Trigger;
  readonly refreshId: string;
  readonly freshAt: string;
  readonly publication: Publication;
  readonly summary: RefreshSummary;
  readonly statements: readonly StatementProfile[];
  readonly startedAt: string;
  readonly run: RunId;
};

export type RecordFailureInput = {
  readonly table: string;
  readonly trigger: Trigger;
  readonly dataVersion: number | null;
  readonly code: ErrorCode;
  readonly message: string;
  readonly startedAt: string;
  readonly run: RunId;
};

/** What a statement would become. `exists`: IF NOT EXISTS, and there is one. */
export type CreatePlan = Pick<CreateResult, 'table' | 'columns' | 'sources' | 'mode' | 'reasons'> & {
  readonly exists: boolean;
  /** OR REPLACE, and there is one: what it has been. */
  readonly replaces?: Pick<TableIncarnation, 'incarnation'> & {readonly definition: StoredDefinition};
  readonly definition: StoredDefinition;
};

/** `replaces` is that of the plan. */
export type ReplaceInput = {readonly plan: CreatePlan; readonly replaces: NonNullable<CreatePlan['replaces']>};

export type ReserveInput = {readonly plan: CreatePlan; readonly run: RunId};

/** `running` is the run id of the apply that was cancelled and may still be at work. */
export type DropBegun = TableIncarnation & {readonly running: string | null};

/** One life of a table: what is made under one incarnation is taken away under it. */
export type TableIncarnation = {readonly table: string; readonly incarnation: string};
