import {FreshetError} from '../src/errors.ts';
import type {Action} from '../src/refresh/action.ts';
import type {Id} from './scenario.ts';

/** One line of the runner's output: what became of one scenario. */
export type Outcome = {
  readonly id: Id;
  /** How the dynamic table can be refreshed; null when it was refused. */
  readonly mode: 'INCREMENTAL' | 'FULL' | null;
  /** Why it is FULL. */
  readonly reason: string | null;
  /** Why there is no dynamic table, or no more steps: a refused view, a setup that fails, a refresh that fails. */
  readonly error: string | null;
  readonly initial: Contents | null;
  readonly steps: readonly StepOutcome[];
};

export type StepOutcome = Contents & {
  readonly action: Action;
  readonly reason: string | null;
  readonly recomputed: 'none' | 'keys' | 'all';
  /** Whether the refresh left a snapshot behind. */
  readonly wrote: boolean;
  /** The first statement of the step that failed; those after it were not run, the refresh was. */
  readonly error?: string;
};

/** `rows` with --rows, the rest with --check. */
export type Contents = {
  readonly rows?: Rows;
  readonly equal?: boolean;
  readonly difference?: Difference;
};

/** Rows as texts, in the order of their texts, nulls last. */
export type Rows = readonly Row[];
export type Row = readonly (string | null)[];

/** Where a dynamic table is not its query: a few rows of each side. */
export type Difference = {
  readonly table: string;
  /** Rows of the query which the table does not have. */
  readonly missing: Rows;
  /** Rows of the table which the query does not have. */
  readonly extra: Rows;
};

export function failed(id: Id, error: string): Outcome {
  return {id, mode: null, reason: null, error, initial: null, steps: []};
}

/** An error in one line, with its code when it has one. */
export function messageOf(error: unknown): string {
  if (error instanceof FreshetError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
