import {readFileSync} from 'node:fs';
import {text} from 'node:stream/consumers';
import type {splitStatements} from '../definition/parse.ts';
import {UsageError} from './usage.ts';

/** The statement a command works on: its argument, a file, or what comes in on standard input. */
export async function readStatement(argument: string | undefined, file: string | undefined): Promise<string> {
  return checked(await whatWasGiven(argument, file), 'The statement');
}

/** The text of a file with statements. */
export function readStatements(file: string): string {
  return checked(readFile(file), `File "${file}"`);
}

function checked(text: string, what: string): string {
  // What UTF-8 has no character for, and a zero, are in no statement.
  if (/[\0\uFFFD]/.test(text)) throw new UsageError(`${what} is no text in UTF-8.`);
  if (text.trim() === '') throw new UsageError(`${what} is empty.`);
  return text;
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

/** A statement with blanks before it, so that a position in it is the one in the whole text. */
export function atItsPlace({text, start}: ReturnType<typeof splitStatements>[number]): string {
  return '\n'.repeat(start.line - 1) + ' '.repeat(start.column - 1) + text;
}
