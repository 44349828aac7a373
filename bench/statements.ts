import {DuckDBConnection} from '@duckdb/node-api';
import pg from 'pg';

/** A statement that this process has had run, whoever asked for it: `startedAt` and `endedAt` in milliseconds since the epoch. */
export type Statement = {
  readonly database: 'DuckDB' | 'PostgreSQL';
  readonly sql: string;
  readonly startedAt: number;
  readonly endedAt: number;
};

export type Watch = {
  /** What has ended since it was asked last. */
  readonly take: () => readonly Statement[];
  readonly stop: () => void;
};

/**
 * Writes down every statement at the drivers, where all of them pass: the engine's own profile knows only those that it has given
 * a label to, and neither its looks at the catalog nor the metadata.
 */
export function watchStatements(): Watch {
  let seen: Statement[] = [];
  const note = (database: Statement['database'], sql: string, startedAt: number): void => {
    seen.push({database, sql, startedAt, endedAt: now()});
  };
  const restores = [watchDuckDB(note), watchPostgres(note)];
  return {
    take: () => {
      const taken = seen;
      seen = [];
      return taken;
    },
    stop: () => restores.forEach((restore) => restore()),
  };
}

/** Milliseconds since the epoch, finer than `Date.now()`. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

type Note = (database: Statement['database'], sql: string, startedAt: number) => void;

function watchDuckDB(note: Note): () => void {
  const {prototype} = DuckDBConnection;
  // oxlint-disable-next-line typescript/unbound-method -- It is called with its own `this` below.
  const {run} = prototype;
  prototype.run = async function (this: DuckDBConnection, ...args: Parameters<typeof run>) {
    const startedAt = now();
    try {
      return await run.apply(this, args);
    } finally {
      note('DuckDB', args[0], startedAt);
    }
  };
  return () => (prototype.run = run);
}

/** A pool's client answers by a callback, any other by a promise. */
function watchPostgres(note: Note): () => void {
  // What `query` takes and gives has a dozen forms; here all of them are passed on.
  const prototype = pg.Client.prototype as unknown as {query: (...args: unknown[]) => unknown};
  const {query} = prototype;
  prototype.query = function (this: unknown, ...args: unknown[]) {
    const startedAt = now();
    const end = (): void => note('PostgreSQL', textOf(args[0]), startedAt);
    const last = args.at(-1);
    if (typeof last === 'function') {
      const answer = last as (...results: unknown[]) => void;
      const noting = (...results: unknown[]): void => {
        end();
        answer(...results);
      };
      return query.apply(this, [...args.slice(0, -1), noting]);
    }
    const answered = query.apply(this, args);
    if (answered instanceof Promise) void answered.then(end, end);
    return answered;
  };
  return () => (prototype.query = query);
}

function textOf(query: unknown): string {
  if (typeof query === 'string') return query;
  return typeof query === 'object' && query !== null && 'text' in query ? String(query.text) : '';
}

export type Span = {readonly startedAt: number; readonly endedAt: number};

/** How long at least one of them ran within `during`. */
export function coveredMs(spans: readonly Span[], during: Span): number {
  const clipped = spans
    .map((span) => ({
      startedAt: Math.max(span.startedAt, during.startedAt),
      endedAt: Math.min(span.endedAt, during.endedAt),
    }))
    .filter(({startedAt, endedAt}) => endedAt > startedAt)
    .toSorted((one, other) => one.startedAt - other.startedAt);
  let covered = 0;
  let until = during.startedAt;
  for (const {startedAt, endedAt} of clipped) {
    covered += Math.max(0, endedAt - Math.max(startedAt, until));
    until = Math.max(until, endedAt);
  }
  return covered;
}
