import type {ErrorCode} from '../errors.ts';

/** The exit status of every error code: stable, one for each, so that a script can tell mistakes apart. */
export const exitCodes = {
  internal: 1,
  syntax: 10,
  unknown_option: 11,
  invalid_option: 12,
  unknown_source: 13,
  unknown_column: 14,
  ambiguous_name: 15,
  invalid_query: 16,
  forbidden_query: 17,
  volatile_function: 18,
  not_incremental: 19,
  unsupported_type: 20,
  invalid_column_name: 21,
  dependency_cycle: 22,
  has_readers: 23,
  unknown_dynamic_table: 24,
  already_exists: 25,
  no_contents: 26,
  invalid_configuration: 30,
  unavailable: 31,
  schema_version: 32,
  source_changed: 40,
  data_error: 41,
  superseded: 42,
  worker_lost: 43,
  out_of_memory: 44,
  cancelled: 130,
} as const satisfies Record<ErrorCode, number>;

/** An unknown command or option, a missing argument. */
export const usageExitCode = 2;

/** `freshet verify` found rows that differ: no error, and not success either. */
export const differentExitCode = 3;
