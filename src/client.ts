import {randomUUID} from 'node:crypto';
import {ScheduleNotFoundError, type Client} from '@temporalio/client';
import {WorkflowExecutionAlreadyStartedError} from '@temporalio/common';
import {
  findRow,
  nameText,
  scheduleOf,
  summary,
  suspendedUpstreamsOf,
  type DynamicTable,
  type DynamicTableDetails,
  type StatementResult,
  type Verification,
} from './client/answers.ts';
import {watched, type OnHold} from './client/on-hold.ts';
import {tablesNow, type TableNow} from './client/overview.ts';
import {outcome, refreshHandle, type RefreshHandle, type Started} from './client/refresh-handle.ts';
import {isLike} from './definition/like.ts';
import {parseStatement} from './definition/parse.ts';
import type {AlterChange} from './definition/statement.ts';
import {FreshetError} from './errors.ts';
import {readersOf, upstreamsOf} from './graph/edges.ts';
import {addressOf, openMetadata, type Metadata} from './metadata/database.ts';
import {allTables, suspendedBelow, type TableRow} from './metadata/dynamic-table.ts';
import {checkSchemaVersion} from './metadata/migrate.ts';
import {history, lastRefreshes, type HistoryEntry} from './metadata/refresh.ts';
import {findVerification} from './metadata/verification.ts';
import type {RefreshInput} from './refresh/messages.ts';
import {isSameName, readTableName, tableNameText} from './table-name.ts';
import {
  definitionId,
  manualRefreshId,
  questionId,
  scheduleId,
  taskQueue as standardTaskQueue,
} from './temporal-names.ts';
import {
  workflowTypes,
  type AlterInput,
  type AlterResult,
  type CreateInput,
  type CreateResult,
  type DropInput,
  type DropResult,
  type ExplainInput,
  type Explanation,
  type MaintainInput,
  type MaintainResult,
  type ResumeInput,
  type ResumeResult,
  type SuspendInput,
  type SuspendResult,
  type VerifyInput,
  type VerifyResult,
} from './workflows/messages.ts';

export type {DynamicTable, DynamicTableDetails, StatementResult, Suspension, Verification} from './client/answers.ts';
export type {OnHold} from './client/on-hold.ts';
export type {TableNow} from './client/overview.ts';
export type {Progress} from './client/progress.ts';
export type {RefreshHandle} from './client/refresh-handle.ts';

export type ClientOptions = {
  /** A client of Temporal, with the namespace that the worker serves. The caller closes its connection. */
  readonly temporal: Client;
  /** PostgreSQL with the metadata: for `list`, `describe`, `history` and the rows of `verify`. */
  readonly metadataUrl?: string | undefined;
  /** As configured for the worker; empty by default. */
  readonly prefix?: string | undefined;
  /** The one of the worker, if it has another than `freshet` (with the prefix before it). */
  readonly taskQueue?: string | undefined;
  /** Hears why something that was asked for does not go on: no worker takes it, or an attempt failed and is made again. */
  readonly onHold?: OnHold | undefined;
};

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
  readonly #metadataAddress: string;
  #checked: Promise<Metadata> | null = null;
  readonly #prefix: string;
  readonly #taskQueue: string;
  readonly #onHold: OnHold;
  readonly #closed = new AbortController();

  constructor({temporal, metadataUrl, prefix = '', taskQueue, onHold = () => undefined}: ClientOptions) {
    this.#temporal = temporal;
    this.#metadata = metadataUrl === undefined ? null : openMetadata(metadataUrl);
    this.#metadataAddress = metadataUrl === undefined ? '' : addressOf(metadataUrl);
    this.#prefix = prefix;
    this.#taskQueue = taskQueue ?? standardTaskQueue(prefix);
    this.#onHold = onHold;
  }

  /** Runs a CREATE DYNAMIC TABLE statement, first refresh included; with `dryRun` only says what would come of it. */
  async create(statement: string, {dryRun = false}: {dryRun?: boolean} = {}): Promise<CreateResult> {
    refuseTooLong(statement);
    const parsed = parseStatement(statement);
    if (parsed.kind !== 'create') throw new FreshetError('syntax', 'This is no CREATE DYNAMIC TABLE statement.');
    const table = tableNameText(parsed.table);
    const workflowId = dryRun ? this.#questionId(table, 'dry-run') : definitionId(this.#prefix, table);
    const input: CreateInput = {statement, dryRun};
    return this.#execute<CreateResult>(workflowTypes.create, workflowId, input, `create ${table}`);
  }

  /** Runs an ALTER DYNAMIC TABLE … SET or RENAME statement. */
  async alter(statement: string): Promise<AlterResult> {
    refuseTooLong(statement);
    const parsed = parseStatement(statement);
    if (parsed.kind !== 'alter' || !['set', 'rename'].includes(parsed.change.kind))
      throw new FreshetError('syntax', 'This is no ALTER DYNAMIC TABLE … SET or RENAME statement.');
    const table = tableNameText(parsed.table);
    const input: AlterInput = {statement};
    const workflowId = definitionId(this.#prefix, table);
    return this.#execute<AlterResult>(workflowTypes.alter, workflowId, input, `alter ${table}`);
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
    const workflowId = manualRefreshId(this.#prefix, name, randomUUID());
    const handle = await this.#start(workflowTypes.refresh, workflowId, input, `refresh ${name}`);
    return refreshHandle(this.#temporal, handle, this.#onHold, this.#closed.signal);
  }

  /** Has a table stand still until it is resumed, and with it the tables that read it. It can be refreshed by hand. */
  async suspend(table: string): Promise<SuspendResult> {
    const name = nameText(table);
    const input: SuspendInput = {table: name};
    const workflowId = this.#questionId(name, 'suspend');
    return this.#execute<SuspendResult>(workflowTypes.suspend, workflowId, input, `suspend ${name}`);
  }

  /** Has a table that was suspended refreshed by its schedule again, and the tables that stood still with it. */
  async resume(table: string): Promise<ResumeResult> {
    const name = nameText(table);
    const input: ResumeInput = {table: name};
    return this.#execute<ResumeResult>(workflowTypes.resume, this.#questionId(name, 'resume'), input, `resume ${name}`);
  }

  /** Every dynamic table, by name; with `like` those whose name, without its schema, is so: `%` for any characters, `_` for one. */
  async list({like}: {like?: string | undefined} = {}): Promise<readonly DynamicTable[]> {
    const metadata = await this.#openMetadata();
    const [tables, refreshes] = await Promise.all([allTables(metadata), lastRefreshes(metadata)]);
    const last = new Map(refreshes.map((entry) => [entry.table, entry]));
    const pauses = await this.#pauses(tables);
    const wanted = tables.filter(({name}) => like === undefined || isLike(readTableName(name)?.name ?? name, like));
    return wanted.map((table) => summary(table, tables, last.get(table.name) ?? null, pauses.get(table.name) ?? null));
  }

  /** Every dynamic table as `list` has it, with what runs now and when its schedule starts the next refresh. */
  async overview(): Promise<readonly TableNow[]> {
    return tablesNow(this.#temporal, this.#prefix, await this.list());
  }

  async describe(table: string): Promise<DynamicTableDetails> {
    const metadata = await this.#openMetadata();
    const tables = await allTables(metadata);
    const row = findRow(tables, nameText(table));
    const [last, schedule] = await Promise.all([history(metadata, row.name, 1), this.#schedule(row.name)]);
    return {
      ...summary(row, tables, last[0] ?? null, schedule),
      query: row.definition.query,
      comment: row.definition.options.comment,
      initialize: row.definition.options.initialize,
      cardinalityThreshold: row.definition.options.cardinalityThreshold,
      columns: row.columns,
      upstreams: upstreamsOf(row.name, tables),
      suspendedUpstreams: suspendedUpstreamsOf(row.name, tables),
      readers: readersOf(row.name, tables),
      keptGroups: row.keptGroups,
      schedule,
    };
  }

  /** What was refreshed, the newest first: of one table (also of one that was dropped), or of all. */
  async history(table?: string, {limit = 20}: {limit?: number} = {}): Promise<readonly HistoryEntry[]> {
    const metadata = await this.#openMetadata();
    if (table === undefined) return history(metadata, null, limit);
    const tables = await allTables(metadata);
    const name = nameText(table);
    const entries = await history(metadata, tables.find((row) => isSameName(row.name, name))?.name ?? name, limit);
    if (entries.length === 0) findRow(tables, name);
    return entries;
  }

  /** How a CREATE DYNAMIC TABLE statement, a query, or an existing table would be refreshed, and why. */
  async explain(statementOrTable: string): Promise<Explanation> {
    refuseTooLong(statementOrTable);
    const name = readTableName(statementOrTable);
    const input: ExplainInput = name === null ? {statement: statementOrTable} : {table: tableNameText(name)};
    const subject = 'table' in input ? input.table : 'statement';
    const workflowId = this.#questionId(subject, 'explain');
    return this.#execute<Explanation>(workflowTypes.explain, workflowId, input, `explain ${subject}`);
  }

  /** Compares a table with its query at the table's data version, both ways. */
  async verify(table: string): Promise<Verification> {
    const name = nameText(table);
    const input: VerifyInput = {table: name};
    const workflowId = this.#questionId(name, 'verify');
    const result = await this.#execute<VerifyResult>(workflowTypes.verify, workflowId, input, `verify ${name}`);
    const {verificationId: id} = result;
    const row = this.#metadata === null || id === null ? null : await findVerification(this.#metadata, id);
    return {...result, columns: row?.columns ?? [], differences: row?.differences ?? []};
  }

  /** Makes few files of the many that refreshes leave, and counts the rows: a table that lacks some is rebuilt. */
  async maintain(table: string): Promise<MaintainResult> {
    const name = nameText(table);
    const input: MaintainInput = {table: name};
    const workflowId = this.#questionId(name, 'maintain');
    return this.#execute<MaintainResult>(workflowTypes.maintain, workflowId, input, `maintain ${name}`);
  }

  /** Runs any statement of ours to its end. */
  async execute(statement: string): Promise<StatementResult> {
    const parsed = parseStatement(statement);
    switch (parsed.kind) {
      case 'create':
        return {kind: 'create', result: await this.create(statement)};
      case 'alter':
        return this.#alter(statement, tableNameText(parsed.table), parsed.change);
      case 'drop':
        return {kind: 'drop', result: await this.drop(tableNameText(parsed.table), {ifExists: parsed.ifExists})};
      case 'show':
        return {kind: 'show', result: await this.list({like: parsed.like ?? undefined})};
      case 'describe':
        return {kind: 'describe', result: await this.describe(tableNameText(parsed.table))};
      case 'sql':
        return {kind: 'sql', text: parsed.text};
    }
  }

  async #alter(statement: string, table: string, change: AlterChange): Promise<StatementResult> {
    switch (change.kind) {
      case 'refresh':
        return {kind: 'refresh', result: await (await this.refresh(table)).result()};
      case 'set':
      case 'rename':
        return {kind: 'alter', result: await this.alter(statement)};
      case 'suspend':
        return {kind: 'suspend', result: await this.suspend(table)};
      case 'resume':
        return {kind: 'resume', result: await this.resume(table)};
    }
  }

  /** Closes the connections to PostgreSQL that it opened. Nobody waits for a refresh any longer; the refresh itself goes on. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#metadata?.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #execute<Result>(type: string, workflowId: string, input: object, staticSummary: string): Promise<Result> {
    const handle = await this.#start(type, workflowId, input, staticSummary);
    // The result is plain JSON of our own workflow: its type is the one that the workflow declares.
    return (await watched(this.#temporal, handle, outcome(handle), this.#onHold)) as Result;
  }

  async #start(type: string, workflowId: string, input: object, staticSummary: string): Promise<Started> {
    try {
      return await this.#temporal.workflow.start(type, {
        workflowId,
        taskQueue: this.#taskQueue,
        args: [input],
        staticSummary: staticSummary.slice(0, 150),
      });
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) {
        throw new FreshetError(
          'unavailable',
          'Another statement that creates, alters or drops this table is at work.',
          {
            hint: 'Wait for it to end, then try again.',
            cause: error,
          },
        );
      }
      throw error;
    }
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

  /** The schedules that are paused though nothing of ours has done it. */
  async #pauses(tables: readonly TableRow[]): Promise<ReadonlyMap<string, DynamicTableDetails['schedule']>> {
    const names = new Map(
      tables
        .filter(({name, suspension}) => suspension === null && suspendedBelow(name, tables) === null)
        .map(({name}) => [scheduleId(this.#prefix, name), name]),
    );
    const paused: string[] = [];
    for await (const {scheduleId: id} of this.#temporal.schedule.list({query: 'TemporalSchedulePaused = true'})) {
      const name = names.get(id);
      if (name !== undefined) paused.push(name);
    }
    // The list may be some moments old.
    return new Map(await Promise.all(paused.map(async (name) => [name, await this.#schedule(name)] as const)));
  }

  #questionId(subject: string, question: string): string {
    return questionId(this.#prefix, subject, `${question}-${randomUUID()}`);
  }

  /** PostgreSQL, once it is known to be there and to be what this program was written for. */
  #openMetadata(): Promise<Metadata> {
    return (this.#checked ??= this.#checkMetadata().catch((error: unknown) => {
      this.#checked = null;
      throw error;
    }));
  }

  async #checkMetadata(): Promise<Metadata> {
    if (this.#metadata === null) {
      throw new FreshetError(
        'invalid_configuration',
        'Lists and histories are read from PostgreSQL, whose address is missing.',
        {
          hint: 'Set FRESHET_METADATA_URL, or FRESHET_LAKE to an address postgresql://…; in a program, give the client a `metadataUrl`.',
        },
      );
    }
    try {
      await checkSchemaVersion(this.#metadata);
      return this.#metadata;
    } catch (error) {
      if (error instanceof FreshetError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new FreshetError('unavailable', `PostgreSQL with the metadata can't be reached: ${why}`, {
        hint: `It should be at ${this.#metadataAddress}: is it running, and is FRESHET_METADATA_URL right?`,
        cause: error,
      });
    }
  }
}

/** Temporal takes 2 MB at once, in which the statement stands as JSON beside what is found out about it. */
const longestStatementBytes = 500_000;

function refuseTooLong(statement: string): void {
  const bytes = Buffer.byteLength(statement);
  if (bytes <= longestStatementBytes) return;
  throw new FreshetError(
    'syntax',
    `The statement has ${bytes} bytes, and ${longestStatementBytes} are the most that one may have.`,
    {hint: 'Put long lists into a table of the lake, and read that.'},
  );
}
