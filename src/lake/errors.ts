/** What went wrong in DuckDB or DuckLake, told from its text: there are no codes. Checked against 1.5.5. */
export type LakeErrorKind =
  /** Somebody else committed first what we read or wrote: look again, from a new snapshot. */
  | 'conflict'
  /** DuckLake gave up its commit after too many tries: the same again may go through. */
  | 'retries-exhausted'
  | 'interrupted'
  /** The answer to COMMIT never came: it may have gone through or not. Only the state row knows. */
  | 'ambiguous-commit'
  /** The rows themselves: a cast, an overflow, a division, `error()`. */
  | 'data'
  /** A snapshot was asked for that is not (or no longer) there. */
  | 'missing-snapshot'
  /** A data file that the catalog knows is not in the store. */
  | 'missing-file'
  /** The disk is full: the lake's, of staging or of temporary files. */
  | 'no-room'
  /** What a statement needs is more than the memory limit, and more than goes to disk. */
  | 'out-of-memory'
  /** PostgreSQL or the object store can't be reached. */
  | 'connection'
  /** The statement itself: names, types, syntax. */
  | 'statement'
  /** DuckDB is broken until it is opened anew. */
  | 'fatal'
  | 'other';

/** An error of the lake with every secret taken out of its text. */
export class LakeError extends Error {
  readonly kind: LakeErrorKind;

  constructor(kind: LakeErrorKind, message: string) {
    super(withoutTrace(message));
    this.name = 'LakeError';
    this.kind = kind;
  }
}

/** Of an internal error DuckDB tells its stack too, in C++. */
export function withoutTrace(message: string): string {
  return message.replace(/\s*Stack Trace:[^]*$/, '');
}

/** PostgreSQL neither answers nor breaks the connection. What waits for it can't be interrupted, only left behind. */
export class NoAnswer extends LakeError {
  constructor(what: string, seconds: number) {
    super('connection', `${what} had no answer within ${seconds} s`);
  }
}

export function isLakeError(error: unknown, ...kinds: readonly LakeErrorKind[]): error is LakeError {
  return error instanceof LakeError && kinds.includes(error.kind);
}

/** In this order: kinds that DuckDB itself names first, for their texts quote values, which may say anything. */
const patterns: readonly (readonly [RegExp, LakeErrorKind])[] = [
  [/^INTERRUPT Error/, 'interrupted'],
  // The second is all that is left to say of an internal error inside of a transaction.
  [/^(FATAL|INTERNAL) Error|fetch from an unsuccessful query result/, 'fatal'],
  [/^Invalid Input Error: No snapshot found at/, 'missing-snapshot'],
  // A question to the catalog that was cut off is called an error of the binder, whoever asked it, and tells the question's text.
  [
    /^[\w ]+ Error: Failed to ([^"']* DuckLake: |prepare |execute )[^]*(server closed the connection|terminating connection|no connection to the server|could not (receive|send) data|the database system is)/,
    'connection',
  ],
  [/^Binder Error: Failed to (prepare|execute) query/, 'other'],
  [/^(Conversion|Out of Range|Overflow|Mismatch Type|Divide by Zero|Sequence|Invalid Input) Error/, 'data'],
  [/^(Binder|Catalog|Parser|Syntax|Not implemented|Dependency|Permission) Error/, 'statement'],
  [/Transaction conflict/, 'conflict'],
  [/Exceeded the maximum retry count/, 'retries-exhausted'],
  [/No space left on device|File too large|Disk quota exceeded/, 'no-room'],
  [/^Out of Memory Error/, 'out-of-memory'],
  [/No such file|No files found|Cannot open file|\b404\b/, 'missing-file'],
  [/Unable to connect to Postgres|connection to server|no connection to the server/, 'connection'],
  [/server closed the connection|terminating connection|the database system is/, 'connection'],
  [/could not (receive|send) data|SSL (connection|SYSCALL)/, 'connection'],
  [
    /^HTTP Error|Could not (establish connection|connect to server)|timed out|Connection (refused|reset)/i,
    'connection',
  ],
];

/** Classifies an error's text. `during` tells COMMIT, whose broken connection is a different thing. */
export function classify(message: string, during: 'statement' | 'commit' = 'statement'): LakeErrorKind {
  const kind = patterns.find(([pattern]) => pattern.test(message))?.[1] ?? 'other';
  return kind === 'connection' && during === 'commit' ? 'ambiguous-commit' : kind;
}
