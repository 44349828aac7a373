/** Every code a user can meet. A code becomes the Temporal failure's type and decides the CLI's exit status. */
export const errorCodes = [
  'syntax',
  'unknown_option',
  'invalid_option',
  'unknown_source',
  'unknown_column',
  'ambiguous_name',
  'invalid_query',
  'forbidden_query',
  'volatile_function',
  'not_incremental',
  'unsupported_type',
  'invalid_column_name',
  'dependency_cycle',
  'has_readers',
  'unknown_dynamic_table',
  'already_exists',
  'no_contents',
  'invalid_configuration',
  'unavailable',
  'schema_version',
  'source_changed',
  'data_error',
  'superseded',
  'worker_lost',
  'out_of_memory',
  'cancelled',
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** Where in the user's statement something is: 1-based, in characters. */
export type Position = {readonly line: number; readonly column: number};

/** What a refresh that fails says first in its hint. CREATE, which leaves no table behind, says something else instead. */
export const contentsKept = 'The table keeps its contents.';

/** A mistake that trying again will not mend, worded for the person who made it. */
export class FreshetError extends Error {
  readonly code: ErrorCode;
  /** What to do about it. */
  readonly hint: string | undefined;
  readonly position: Position | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: {hint?: string | undefined; position?: Position | undefined; cause?: unknown} = {},
  ) {
    super(message, {cause: options.cause});
    this.name = 'FreshetError';
    this.code = code;
    this.hint = options.hint;
    this.position = options.position;
  }
}
