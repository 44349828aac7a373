import {randomUUID} from 'node:crypto';
import {
  ScheduleNotFoundError,
  WorkflowFailedError,
  type Client,
  type ScheduleDescription,
  type WorkflowHandle,
} from '@temporalio/client';
import {WorkflowExecutionAlreadyStartedError} from '@temporalio/common';
import {didYouMean} from './definition/nearest.ts';
import {parseStatement} from './definition/parse.ts';
import {targetLagText} from './definition/target-lag.ts';
import {FreshetError} from './errors.ts';
import {readersOf, upstreamsOf} from './graph/edges.ts';
import {openMetadata, type Metadata} from './metadata/database.ts';
import {allTables, type TableRow} from './metadata/dynamic-table.ts';
import {history, lastRefreshes, type HistoryEntry} from './metadata/refresh.ts';
import {findVerification, type Difference} from './metadata/verification.ts';
import type {RefreshInput, RefreshResult} from './refresh/messages.ts';
import {isSameName, readTableName, tableNameText} from './table-name.ts';
import {errorOfFailure} from './failure.ts';
import {
  progressQuery,
  workflowTypes,
  type CreateInput,
  type CreateResult,
  type DropInput,
  type DropResult,
  type ExplainInput,
  type Explanation,
  type RefreshProgress,
  type VerifyInput,
  type VerifyResult,
} from './workflows/messages.ts';
import {definitionId, manualRefreshId, questionId, scheduleId, taskQueue} from './temporal-names.ts';

/** A dynamic table as `list` shows it. */
export type DynamicTable = {
  /** `schema.name`, quoted where it must be. */
  readonly table: string;
  /** creating and dropping: a statement is at work, or was cut off. */
  readonly state: 'creating' | 'active' | 'dropping';
  /** `5 minutes`, or `DOWNSTREAM`. */
  readonly targetLag: string;
  /** What the user allows. */
  readonly refreshMode: 'AUTO' | 'INCREMENTAL' | 'FULL';
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
  readonly lastRefresh: HistoryEntry | null;
  readonly createdAt: string;
};

/** All there is to know about one dynamic table. */
export type DynamicTableDetails = DynamicTable & {
  readonly query: string;
  readonly comment: string | null;
  readonly initialize: 'ON_CREATE' | 'ON_SCHEDULE';
  readonly cardinalityThreshold: number;
  readonly columns: readonly {readonly name: string; readonly type: string}[];
  /** The dynamic tables among its sources. */
  readonly upstreams: readonly string[];
  /** The dynamic tables that read it. */
  readonly readers: readonly string[];
  /** Null when Temporal has none (any more). */
  readonly schedule: {
    readonly id: string;
    readonly paused: boolean;
    readonly note: string | null;
    /** ISO 8601. */
    readonly nextRuns: readonly string[];
  } | null;
};

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
  | {readonly kind: 'sql'; readonly text: string};

/** A refresh that is on its way. */
export type RefreshHandle = {
  readonly workflowId: string;
  readonly runId: string;
  /** Resolves when it is done; rejects with a `FreshetError`. */
  result(): Promise<RefreshResult>;
  /** Where it is now; null when no worker answers. */
  progress(): Promise<RefreshProgress | null>;
  /** Each new state of its progress, until it ends. */
  phases(): AsyncIterable<RefreshProgress>;
  /** Asks it to stop; running SQL is interrupted. */
  cancel(): Promise<void>;
};

export type ClientOptions = {
  /** A client of Temporal, with the namespace that the worker serves. The caller closes its connection. */
  readonly temporal: Client;
  /** PostgreSQL with the metadata: for `list`, `describe`, `history` and the rows of `verify`. */
  readonly metadataUrl?: string | undefined;
  /** As configured for the worker; empty by default. */
  readonly prefix?: string | undefined;
};

/** How often a running refresh is asked for its phase. */
const progressMilliseconds = 150;

/**
 * Creates, refreshes and looks at dynamic tables.
 *
 * ```ts
 * const freshet = new FreshetClient({temporal, metadataUrl});
 * await freshet.create(`create dynamic table totals target_lag = '1 minute' as
 *   select region, sum(amount) as total from lake.main.orders group by region`);
 * const {outcome} = await (await freshet.refresh('totals')).result();
 * await freshet.close();
 * ```
 *
 * Every method rejects with a `FreshetError` whose `code` says what was wrong.
 */
export class FreshetClient {
  readonly #temporal: Client;
  readonly #metadata: Metadata | null;
  readonly #prefix: string;

  constructor({temporal, metadataUrl, prefix = ''}: ClientOptions) {
    this.#temporal = temporal;
    this.#metadata = metadataUrl === undefined ? null : openMetadata(metadataUrl);
    this.#prefix = prefix;
  }

  /** Runs a CREATE DYNAMIC TABLE statement, first refresh included; with `dryRun` only says what would come of it. */
  async create(statement: string, {dryRun = false}: {dryRun?: boolean} = {}): Promise<CreateResult> {
    const parsed = parseStatement(statement);
    if (parsed.kind !== 'create') throw new FreshetError('syntax', 'This is no CREATE DYNAMIC TABLE statement.');
    const table = tableNameText(parsed.table);
    const workflowId = dryRun ? this.#questionId(table, 'dry-run') : definitionId(this.#prefix, table);
    const input: CreateInput = {statement, dryRun};
    return this.#execute<CreateResult>(workflowTypes.create, workflowId, input, `create ${table}`);
  }

  /** Drops a dynamic table, its rows, its schedule and all that Freshet keeps of it but the history. */
  async drop(table: string, {ifExists = false}: {ifExists?: boolean} = {}): Promise<DropResult> {
    const name = nameText(table);
    const input: DropInput = {table: name, ifExists};
    return this.#execute<DropResult>(workflowTypes.drop, definitionId(this.#prefix, name), input, `drop ${name}`);
  }

  /** Starts a refresh and returns at once; `full` recomputes whatever changed. */
  async refresh(table: string, {full = false}: {full?: boolean} = {}): Promise<RefreshHandle> {
    const name = nameText(table);
    const input: RefreshInput = {table: name, full, trigger: 'manual'};
    const handle = await this.#start(
      workflowTypes.refresh,
      manualRefreshId(this.#prefix, name, randomUUID()),
      input,
      `refresh ${name}`,
    );
    return this.#refreshHandle(handle);
  }

  /** Every dynamic table, by name. */
  async list(): Promise<readonly DynamicTable[]> {
    const metadata = this.#needMetadata();
    const [tables, refreshes] = await Promise.all([allTables(metadata), lastRefreshes(metadata)]);
    const last = new Map(refreshes.map((entry) => [entry.table, entry]));
    return tables.map((table) => summary(table, last.get(table.name) ?? null));
  }

  async describe(table: string): Promise<DynamicTableDetails> {
    const metadata = this.#needMetadata();
    const tables = await allTables(metadata);
    const row = find(tables, nameText(table));
    const [last, schedule] = await Promise.all([history(metadata, row.name, 1), this.#schedule(row.name)]);
    return {
      ...summary(row, last[0] ?? null),
      query: row.definition.query,
      comment: row.definition.options.comment,
      initialize: row.definition.options.initialize,
      cardinalityThreshold: row.definition.options.cardinalityThreshold,
      columns: row.columns,
      upstreams: upstreamsOf(row.name, tables),
      readers: readersOf(row.name, tables),
      schedule,
    };
  }

  /** What was refreshed, the newest first: of one table (also of one that was dropped), or of all. */
  async history(table?: string, {limit = 20}: {limit?: number} = {}): Promise<readonly HistoryEntry[]> {
    const metadata = this.#needMetadata();
    if (table === undefined) return history(metadata, null, limit);
    const tables = await allTables(metadata);
    const name = nameText(table);
    const entries = await history(metadata, tables.find((row) => isSameName(row.name, name))?.name ?? name, limit);
    if (entries.length === 0) find(tables, name);
    return entries;
  }

  /** How a CREATE DYNAMIC TABLE statement, a query, or an existing table would be refreshed, and why. */
  async explain(statementOrTable: string): Promise<Explanation> {
    const name = readTableName(statementOrTable);
    const input: ExplainInput = name === null ? {statement: statementOrTable} : {table: tableNameText(name)};
    const subject = 'table' in input ? input.table : 'statement';
    return this.#execute<Explanation>(
      workflowTypes.explain,
      this.#questionId(subject, 'explain'),
      input,
      `explain ${subject}`,
    );
  }

  /** Compares a table with its query at the table's data version, both ways. */
  async verify(table: string): Promise<Verification> {
    const name = nameText(table);
    const input: VerifyInput = {table: name};
    const result = await this.#execute<VerifyResult>(
      workflowTypes.verify,
      this.#questionId(name, 'verify'),
      input,
      `verify ${name}`,
    );
    const row =
      this.#metadata === null || result.verificationId === null
        ? null
        : await findVerification(this.#metadata, result.verificationId);
    return {...result, columns: row?.columns ?? [], differences: row?.differences ?? []};
  }

  /** Runs any statement of ours to its end. */
  async execute(statement: string): Promise<StatementResult> {
    const parsed = parseStatement(statement);
    switch (parsed.kind) {
      case 'create':
        return {kind: 'create', result: await this.create(statement)};
      case 'alter':
        return {kind: 'refresh', result: await (await this.refresh(tableNameText(parsed.table))).result()};
      case 'drop':
        return {kind: 'drop', result: await this.drop(tableNameText(parsed.table), {ifExists: parsed.ifExists})};
      case 'sql':
        return {kind: 'sql', text: parsed.text};
    }
  }

  /** Closes the connections to PostgreSQL that it opened. */
  async close(): Promise<void> {
    await this.#metadata?.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #execute<Result>(type: string, workflowId: string, input: object, staticSummary: string): Promise<Result> {
    const handle = await this.#start(type, workflowId, input, staticSummary);
    // The result is plain JSON of our own workflow: its type is the one that the workflow declares.
    return (await outcome(handle)) as Result;
  }

  async #start(type: string, workflowId: string, input: object, staticSummary: string): Promise<Started> {
    try {
      return await this.#temporal.workflow.start(type, {
        workflowId,
        taskQueue: taskQueue(this.#prefix),
        args: [input],
        staticSummary: staticSummary.slice(0, 150),
      });
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) {
        throw new FreshetError('unavailable', 'Another statement that creates or drops this table is at work.', {
          hint: 'Wait for it to end, then try again.',
          cause: error,
        });
      }
      throw error;
    }
  }

  #refreshHandle(handle: Started): RefreshHandle {
    const progress = () => this.#progress(handle);
    return {
      workflowId: handle.workflowId,
      runId: handle.firstExecutionRunId,
      // Declared by the workflow, as above.
      result: async () => (await outcome(handle)) as RefreshResult,
      progress,
      phases: () => phases(handle, progress),
      cancel: async () => void (await handle.cancel()),
    };
  }

  /** The root's progress, or the finer one of the apply that it waits for. */
  async #progress(handle: WorkflowHandle): Promise<RefreshProgress | null> {
    const root = await ask(handle);
    if (root === null || root.apply === null || root.phase !== 'apply') return root;
    return (await ask(this.#temporal.workflow.getHandle(root.apply.workflowId))) ?? root;
  }

  async #schedule(table: string): Promise<DynamicTableDetails['schedule']> {
    const id = scheduleId(this.#prefix, table);
    try {
      return scheduleOf(id, await this.#temporal.schedule.getHandle(id).describe());
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return null;
      throw error;
    }
  }

  #questionId(subject: string, question: string): string {
    return questionId(this.#prefix, subject, `${question}-${randomUUID()}`);
  }

  #needMetadata(): Metadata {
    if (this.#metadata !== null) return this.#metadata;
    throw new FreshetError(
      'invalid_configuration',
      'Lists and histories are read from PostgreSQL, and no metadata URL was given.',
      {
        hint: 'Pass `metadataUrl`.',
      },
    );
  }
}

type Started = WorkflowHandle & {readonly firstExecutionRunId: string};

/** The workflow's result, its failure as the `FreshetError` that it stands for. */
async function outcome(handle: WorkflowHandle): Promise<unknown> {
  try {
    return await handle.result();
  } catch (error) {
    throw error instanceof WorkflowFailedError ? errorOfFailure(error.cause ?? error) : error;
  }
}

async function ask(handle: WorkflowHandle): Promise<RefreshProgress | null> {
  try {
    return await handle.query<RefreshProgress>(progressQuery);
  } catch {
    // No worker, a run that has just ended, or one that has not begun: progress is a courtesy.
    return null;
  }
}

async function* phases(
  handle: WorkflowHandle,
  progress: () => Promise<RefreshProgress | null>,
): AsyncGenerator<RefreshProgress> {
  let ended = false;
  const end = handle.result().then(
    () => (ended = true),
    () => (ended = true),
  );
  let shown = '';
  while (!ended) {
    const now = await progress();
    const text = JSON.stringify(now);
    if (now !== null && text !== shown) yield now;
    shown = text;
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, progressMilliseconds))]);
  }
}

function nameText(table: string): string {
  const name = readTableName(table);
  if (name === null)
    throw new FreshetError('syntax', `"${table}" is not the name of a table.`, {
      hint: 'Write it as name or schema.name.',
    });
  return tableNameText(name);
}

function find(tables: readonly TableRow[], name: string): TableRow {
  const row = tables.find((table) => isSameName(table.name, name));
  if (row !== undefined) return row;
  throw new FreshetError('unknown_dynamic_table', `There is no dynamic table ${name}.`, {
    hint: didYouMean(
      name,
      tables.map((table) => table.name),
    ),
  });
}

function summary(row: TableRow, lastRefresh: HistoryEntry | null): DynamicTable {
  const {options} = row.definition;
  return {
    table: row.name,
    state: row.state,
    targetLag: targetLagText(options.targetLag),
    refreshMode: options.refreshMode,
    mode: row.mode,
    reasons: row.reasons,
    sources: row.sources,
    dataVersion: row.dataVersion,
    freshAt: row.freshAt,
    lagSeconds: row.freshAt === null ? null : Math.max(0, (Date.now() - Date.parse(row.freshAt)) / 1000),
    rows: row.rows,
    lastRefresh,
    createdAt: row.createdAt,
  };
}

function scheduleOf(id: string, {state, info}: ScheduleDescription): DynamicTableDetails['schedule'] {
  return {
    id,
    paused: state.paused,
    note: state.note ?? null,
    nextRuns: state.paused ? [] : info.nextActionTimes.map((time) => time.toISOString()),
  };
}
