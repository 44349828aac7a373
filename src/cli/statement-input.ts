import {readdirSync, readFileSync, statSync} from 'node:fs';
import path from 'node:path';
import {text} from 'node:stream/consumers';
import type {splitStatements} from '../definition/parse.ts';
import {UsageError} from './usage.ts';

/** The statement a command works on: its argument, a file, or what comes in on standard input. */
export async function readStatement(argument: string | undefined, file: string | undefined): Promise<string> {
  const given = checked(await whatWasGiven(argument, file), 'The statement');
  if (given.trim() === '') throw new UsageError('The statement is empty.');
  return given;
}

/** The texts of files with statements; "-" is standard input, a folder stands for the .sql files in it and below. */
export async function readFiles(
  names: readonly string[],
): Promise<readonly {readonly file: string; readonly text: string}[]> {
  const files = [...new Set(names.map((name) => path.normalize(name)).flatMap(filesAt))];
  const input = files.includes('-') ? await text(process.stdin) : '';
  return files.map((file) => ({file, text: checked(file === '-' ? input : readFile(file), `File "${file}"`)}));
}

function filesAt(name: string): readonly string[] {
  if (statSync(name, {throwIfNoEntry: false})?.isDirectory() !== true) return [name];
  const files = readdirSync(name, {recursive: true, encoding: 'utf8'}).filter((file) => /\.sql$/i.test(file));
  if (files.length === 0) throw new UsageError(`Folder "${name}" has no file whose name ends in .sql.`);
  return files.toSorted().map((file) => path.join(name, file));
}

function checked(read: string, what: string): string {
  // What UTF-8 has no character for, and a zero, are in no statement.
  if (/[\0\uFFFD]/.test(read)) throw new UsageError(`${what} is no text in UTF-8.`);
  // Some editors mark a text so; no statement begins with it.
  return read.replace(/^\uFEFF/, '');
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
