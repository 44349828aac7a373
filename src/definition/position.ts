import type {Position} from '../errors.ts';
import type {Query} from './statement.ts';

/** Line and column, both from 1 and in characters, of the place `offset` UTF-16 units into `text`. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return {line: before.split('\n').length, column: [...before.slice(lineStart)].length + 1};
}

/** The place in the user's statement of something `bytes` into the query: DuckDB counts in bytes of UTF-8. */
export function positionInStatement({text, statement, offset}: Query, bytes: number): Position {
  return positionAt(statement, offset + unitsBefore(text, bytes));
}

function unitsBefore(text: string, bytes: number): number {
  let units = 0;
  let counted = 0;
  for (const character of text) {
    counted += utf8Length(character);
    if (counted > bytes) break;
    units += character.length;
  }
  return units;
}

function utf8Length(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x1_0000 ? 3 : 4;
}
