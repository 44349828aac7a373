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
    super(message);
    this.name = 'LakeError';
    this.kind = kind;
  }
}

export function isLakeError(error: unknown, ...kinds: readonly LakeErrorKind[]): error is LakeError {
  return error instanceof LakeError && kinds.includes(error.kind);
}

/** In this order: what DuckLake says of a failed commit wraps PostgreSQL's own words, which would match later lines. */
const patterns: readonly (readonly [RegExp, LakeErrorKind])[] = [
  [/^INTERRUPT Error|Interrupted!|Query cancelled/i, 'interrupted'],
  [/^FATAL Error|database has been invalidated|INTERNAL Error/i, 'fatal'],
  [/Transaction conflict/, 'conflict'],
  [/Exceeded the maximum retry count/, 'retries-exhausted'],
  [/No snapshot found at/, 'missing-snapshot'],
  [
    /Unable to connect to Postgres|server closed the connection|terminating connection|no connection to the server|could not receive data|could not send data|SSL (connection|SYSCALL)|connection to server|Could not (establish connection|connect to server)|the database system is (starting up|shutting down|in recovery)|(HTTP|Connection|IO) Error.*(timed out|timeout|refused|reset|Connection error)|HTTP Error/i,
    'connection',
  ],
  [/^IO Error.*(No such file|Cannot open file|404|not found)/is, 'missing-file'],
  [/^(Conversion|Out of Range|Overflow|Mismatch Type|Divide by Zero|Sequence) Error/i, 'data'],
  [/^Invalid Input Error/i, 'data'],
  [/^(Binder|Catalog|Parser|Syntax|Not implemented|Dependency|Permission) Error/i, 'statement'],
];

/** Classifies an error's text. `during` tells COMMIT, whose broken connection is a different thing. */
export function classify(message: string, during: 'statement' | 'commit' = 'statement'): LakeErrorKind {
  const kind = patterns.find(([pattern]) => pattern.test(message))?.[1] ?? 'other';
  return kind === 'connection' && during === 'commit' ? 'ambiguous-commit' : kind;
}
