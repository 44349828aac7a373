import {readFileSync} from 'node:fs';
import {text} from 'node:stream/consumers';
import {UsageError} from './usage.ts';

/** The statement a command works on: its argument, a file, or what comes in on standard input. */
export async function readStatement(argument: string | undefined, file: string | undefined): Promise<string> {
  const statement = await whatWasGiven(argument, file);
  // What UTF-8 has no character for, and a zero, are in no statement.
  if (/[\0\uFFFD]/.test(statement)) throw new UsageError('The statement is no text in UTF-8.');
  if (statement.trim() === '') throw new UsageError('The statement is empty.');
  return statement;
}

async function whatWasGiven(argument: string | undefined, file: string | undefined): Promise<string> {
  if (file !== undefined) {
    if (argument !== undefined) throw new UsageError('Give a statement or --file, not both.');
    return readFile(file);
  }
  if (argument !== undefined && argument !== '-') return argument;
  if (process.stdin.isTTY && argument === undefined) {
    throw new UsageError('No statement: give it as an argument, with --file, or on standard input.');
  }
  return text(process.stdin);
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`File "${file}" can't be read: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}
