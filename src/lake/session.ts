import type {DuckDBConnection} from '@duckdb/node-api';
import type {QuerySettings} from '../definition/definition.ts';
import type {StatementProfile, StatementProgress} from '../refresh/messages.ts';
import {sql, type Sql} from '../sql.ts';
import {classify, isLakeError, LakeError, NoAnswer} from './errors.ts';
import {within} from './within.ts';
import {fromDuckDB} from './values.ts';

/**
 * One connection of one DuckDB instance, for one piece of work. Statements run one after another; those with a label are
 * kept in the profile. Values come out as plain JSON: integers as numbers, decimals as text, times as ISO 8601, lists as arrays.
 */
export type Session = {
  /** What the catalog of this lake is called: its public name, and the schema of its tables in PostgreSQL. */
  readonly lake: LakeNames;
  /** What its instance was opened with. */
  readonly settings: QuerySettings;
  /** Ids of tables whose options its instance knows: see `table-options.ts`. */
  readonly protectedTables: Set<number>;
  readonly rows: <T = Record<string, unknown>>(statement: Sql, label?: string) => Promise<T[]>;
  /** How many rows it changed; 0 for what defines something. */
  readonly run: (statement: Sql, label?: string) => Promise<number>;
  /**
   * BEGIN … COMMIT. Any error leads to ROLLBACK, never to COMMIT: after a failed statement COMMIT answers OK and rolls back, or
   * publishes half the work. An error of COMMIT is a `LakeError` of its own kind.
   */
  readonly transaction: <T>(work: () => Promise<T>) => Promise<T>;
  /** Another connection of the same instance, for what must not share this one's transaction. */
  readonly beside: <T>(use: (session: Session) => Promise<T>) => Promise<T>;
  readonly interrupt: () => void;
  /** The statement that runs now; null when none does. DuckDB estimates what is done only after `tellProgress`. */
  readonly progress: () => StatementProgress | null;
  readonly tellProgress: () => Promise<void>;
  readonly profile: readonly StatementProfile[];
  /** Hands the profile out and begins a new one. */
  readonly takeProfile: () => StatementProfile[];
};

export type LakeNames = {readonly name: string; readonly metadataSchema: string};

export type SessionSettings = {
  readonly lake: LakeNames;
  readonly query: QuerySettings;
  readonly protectedTables: Set<number>;
  readonly scrub: (text: string) => string;
  readonly signal: AbortSignal | undefined;
  /** Called when a connection hangs: its instance must not be used again. */
  readonly abandon: () => void;
  readonly beside: Session['beside'];
  /** None where no PostgreSQL can hang. */
  readonly patience?: Patience;
};

/**
 * How a PostgreSQL that hangs is noticed, for it would hold a statement for ever. What only asks the catalog has an answer soon.
 * What computes may take hours: meanwhile somebody else asks the catalog now and then.
 */
export type Patience =
  | {readonly kind: 'limit'; readonly seconds: number}
  | {readonly kind: 'ask'; readonly everySeconds: number; readonly isHanging: () => Promise<boolean>};

/** A PostgreSQL that hangs would hold COMMIT and ROLLBACK for ever; neither can be interrupted. */
const commitSeconds = 60;
const rollbackSeconds = 15;
/** DuckDB forgets an interrupt that comes between two statements or before the first of its tasks. */
const interruptEveryMs = 50;
const interruptedWithinMs = 15_000;

export function openSession(connection: DuckDBConnection, settings: SessionSettings): Session {
  const {scrub, signal, abandon} = settings;
  let profile: StatementProfile[] = [];
  /** The first error since BEGIN: whoever caught it must not get a COMMIT. */
  let failure: {readonly error: unknown} | null = null;
  let running: {readonly label: string | null; readonly started: number} | null = null;

  async function execute(
    statement: Sql,
    label: string | undefined,
  ): Promise<{rows: Record<string, unknown>[]; changed: number}> {
    const started = performance.now();
    running = {label: label ?? null, started};
    const work = async () => {
      const answer = await connection.run(statement.text);
      return {
        rows: (await answer.convertRowObjects(fromDuckDB)) as Record<string, unknown>[],
        changed: answer.rowsChanged,
      };
    };
    const result = await interruptible(connection, settings, () => patiently(settings, work))
      .catch((error: unknown) => {
        const clean = error === signal?.reason ? error : lakeError(error, scrub, 'statement');
        if (isLakeError(clean, 'fatal')) abandon();
        failure ??= {error: clean};
        throw clean;
      })
      .finally(() => (running = null));
    if (label !== undefined) {
      const rows = rowCount(result.rows);
      profile.push({label, sql: statement.text, ms: Math.round((performance.now() - started) * 10) / 10, rows});
    }
    return result;
  }

  /** COMMIT and ROLLBACK: outside the reach of the signal, inside a limit of time. */
  async function end(word: 'COMMIT' | 'ROLLBACK', seconds: number): Promise<void> {
    running = {label: word.toLowerCase(), started: performance.now()};
    try {
      await within(seconds, word, connection.run(word));
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw lakeError(error, scrub, word === 'COMMIT' ? 'commit' : 'statement');
      abandon();
      throw word === 'COMMIT' ? new LakeError('ambiguous-commit', error.message) : error;
    } finally {
      running = null;
    }
  }

  return {
    lake: settings.lake,
    settings: settings.query,
    protectedTables: settings.protectedTables,
    beside: settings.beside,
    // The caller names the columns in its statement and knows their types.
    rows: async <T>(statement: Sql, label?: string) => (await execute(statement, label)).rows as T[],
    run: async (statement, label) => (await execute(statement, label)).changed,
    transaction: async (work) => {
      await execute({text: 'BEGIN'}, undefined);
      failure = null;
      let result;
      try {
        result = await work();
        signal?.throwIfAborted();
        throwFailure(failure);
      } catch (error) {
        await end('ROLLBACK', rollbackSeconds).catch(() => undefined);
        throw error;
      }
      const started = performance.now();
      try {
        await end('COMMIT', commitSeconds);
      } catch (error) {
        if (!isLakeError(error, 'ambiguous-commit')) await end('ROLLBACK', rollbackSeconds).catch(() => undefined);
        throw error;
      }
      profile.push({
        label: 'commit',
        sql: 'COMMIT',
        ms: Math.round((performance.now() - started) * 10) / 10,
        rows: null,
      });
      return result;
    },
    interrupt: () => connection.interrupt(),
    progress: () => (running === null ? null : progressOf(connection, running)),
    // Settings of the connection: they can't be given to the whole instance.
    tellProgress: async () =>
      void (await execute(sql`SET enable_progress_bar = true; SET enable_progress_bar_print = false`, undefined)),
    get profile() {
      return profile;
    },
    takeProfile: () => {
      const taken = profile;
      profile = [];
      return taken;
    },
  };
}

function progressOf(
  connection: DuckDBConnection,
  {label, started}: {readonly label: string | null; readonly started: number},
): StatementProgress {
  const {percentage, rows_processed: rows, total_rows_to_process: totalRows} = connection.progress;
  // −1, and zeros, as long as it has no estimate.
  const isKnown = percentage >= 0;
  return {
    label,
    seconds: Math.round((performance.now() - started) / 1000),
    percent: isKnown ? Math.floor(percentage) : null,
    rows: isKnown ? Number(rows) : null,
    totalRows: isKnown ? Number(totalRows) : null,
  };
}

/** What writes answers with one row that has the number. */
function rowCount(rows: readonly Record<string, unknown>[]): number {
  const count = rows.length === 1 ? rows[0]?.['Count'] : undefined;
  return typeof count === 'number' ? count : rows.length;
}

function throwFailure(failure: {readonly error: unknown} | null): void {
  if (failure !== null) throw failure.error;
}

/**
 * Runs `work`; when the signal fires, interrupts until it has ended and rejects with the signal's reason. One that waits for a
 * PostgreSQL that hangs can't be interrupted: it is left behind.
 */
async function interruptible<T>(
  connection: DuckDBConnection,
  {signal, abandon}: SessionSettings,
  work: () => Promise<T>,
): Promise<T> {
  if (signal === undefined) return await work();
  signal.throwIfAborted();
  const timers: NodeJS.Timeout[] = [];
  let leaveBehind = (): void => undefined;
  const left = new Promise<never>((_, reject) => (leaveBehind = () => reject(signal.reason as Error)));
  const interrupt = (): void => {
    connection.interrupt();
    timers.push(setInterval(() => connection.interrupt(), interruptEveryMs));
    timers.push(setTimeout(() => (abandon(), leaveBehind()), interruptedWithinMs));
  };
  signal.addEventListener('abort', interrupt, {once: true});
  try {
    return await Promise.race([work(), left]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    timers.forEach(clearInterval);
    signal.removeEventListener('abort', interrupt);
  }
}

/** The work's answer, or `NoAnswer` when PostgreSQL hangs: then its connection is left behind. */
async function patiently<T>({patience, abandon}: SessionSettings, work: () => Promise<T>): Promise<T> {
  if (patience === undefined) return await work();
  try {
    if (patience.kind === 'limit') return await within(patience.seconds, 'PostgreSQL', work());
    return await whileAnswering(patience, work());
  } catch (error) {
    if (error instanceof NoAnswer) abandon();
    throw error;
  }
}

async function whileAnswering<T>(
  {everySeconds, isHanging}: Extract<Patience, {kind: 'ask'}>,
  work: Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let isDone = false;
  const hangs = new Promise<never>((_, reject) => {
    const askLater = () => {
      timer = setTimeout(() => {
        void isHanging().then((isSo) => {
          if (isSo) reject(new NoAnswer('PostgreSQL', everySeconds));
          else if (!isDone) askLater();
        });
      }, everySeconds * 1000);
    };
    askLater();
  });
  try {
    return await Promise.race([work, hangs]);
  } finally {
    isDone = true;
    clearTimeout(timer);
  }
}

/** An error of DuckDB as one of ours; anything else (the reason of an abort) as it is. */
function lakeError(error: unknown, scrub: (text: string) => string, during: 'statement' | 'commit'): unknown {
  if (error instanceof LakeError || !(error instanceof Error) || !isFromDuckDB(error)) return error;
  const message = scrub(error.message);
  return new LakeError(classify(message, during), message);
}

/** DuckDB's binding throws plain errors whose text begins with the kind: `Binder Error: …`. */
function isFromDuckDB(error: Error): boolean {
  return error.constructor === Error;
}
