import {CommanderError} from 'commander';
import {FreshetError} from '../errors.ts';
import {classify} from '../lake/errors.ts';
import {errorJson, errorText} from './error-text.ts';
import {exitCodes, usageExitCode} from './exit-code.ts';
import {StatementError} from './statement-error.ts';
import {UsageError} from './usage.ts';

/** Says on standard error what went wrong, and returns the exit status that stands for it. */
export function report(error: unknown, isJson: boolean): number {
  // Commander has said it already, be it an error or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageExitCode;
  if (error instanceof UsageError) {
    process.stderr.write(`error: ${error.message}\nAdd --help to see what there is.\n`);
    return usageExitCode;
  }
  const source = error instanceof StatementError ? error.source : null;
  const known = error instanceof StatementError ? error.error : asFreshetError(error);
  process.stderr.write(`${isJson ? JSON.stringify(errorJson(known), null, 2) : errorText(known, source)}\n`);
  if (known.code === 'internal' && known.cause instanceof Error && !isJson)
    process.stderr.write(`${known.cause.stack}\n`);
  return exitCodes[known.code];
}

/** What the drivers throw, as the codes that people meet. */
export function asFreshetError(error: unknown): FreshetError {
  if (error instanceof FreshetError) return error;
  const message = withoutEmptyEnd(fullMessage(error));
  const misled = readMisled(message);
  if (misled !== null) return new FreshetError('unavailable', misled, {hint: rightVariables, cause: error});
  if (isUnreachable(message)) {
    return new FreshetError('unavailable', `Freshet's servers can't be reached: ${message}`, {
      hint: `Is freshet dev running in this folder? ${rightVariables}`,
      cause: error,
    });
  }
  return new FreshetError('internal', message, {cause: error});
}

const rightVariables = 'Are the FRESHET_* and TEMPORAL_* variables right?';

/** What answers, but is not the Temporal that was meant. */
function readMisled(message: string): string | null {
  const namespace = /Namespace not found: '(.*?)'/.exec(message)?.[1];
  if (namespace !== undefined) return `Temporal has no namespace "${namespace}".`;
  if (/\bUNIMPLEMENTED\b/.test(message)) return `What answers in Temporal's place is no Temporal: ${message}`;
  if (/\b(PERMISSION_DENIED|UNAUTHENTICATED)\b/.test(message)) return `Temporal lets us not in: ${message}`;
  return null;
}

function isUnreachable(message: string): boolean {
  return (
    /ECONNREFUSED|ENOTFOUND|ETIMEDOUT|ECONNRESET|UNAVAILABLE|DEADLINE_EXCEEDED|before the deadline/i.test(message) ||
    // In the words of the driver of PostgreSQL.
    /Connection terminated|timeout exceeded when trying to connect|Query read timeout/.test(message) ||
    classify(message) === 'connection'
  );
}

/** gRPC ends a text with the heading of a note even where there is none. */
function withoutEmptyEnd(message: string): string {
  return message.replace(/\s*Resolution note:\s*$/, '');
}

/** An error's text with those of its causes; Node keeps the useful one in an AggregateError. */
function fullMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause;
  const own = error.message;
  const rest = inner === undefined ? '' : fullMessage(inner);
  return rest === '' || own.includes(rest) ? own : `${own}${own === '' ? '' : ': '}${rest}`;
}
