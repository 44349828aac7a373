import {FreshetError} from '../errors.ts';

/** An error together with the text that its position points into. */
export class StatementError extends Error {
  override readonly name = 'StatementError';
  readonly error: FreshetError;
  readonly source: string;

  constructor(error: FreshetError, source: string) {
    super(error.message, {cause: error});
    this.error = error;
    this.source = source;
  }
}

/** Runs `work`, whose errors have positions in `source`. */
export async function pointingInto<T>(source: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof FreshetError ? new StatementError(error, source) : error;
  }
}
