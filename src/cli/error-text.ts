import type {FreshetError, Position} from '../errors.ts';

/**
 * An error for the person who made it: what was found, where, what to do.
 *
 *     Error (unknown_column): "regoin" is no column of main.orders (line 2, column 8).
 *       2 | SELECT regoin, sum(amount)
 *         |        ^
 *     Did you mean "region"?
 */
export function errorText(error: FreshetError, source: string | null): string {
  const lines = [`Error (${error.code}): ${error.message}`];
  if (source !== null && error.position !== undefined) lines.push(...sourceLines(source, error.position));
  if (error.hint !== undefined && !error.message.includes(error.hint)) lines.push(error.hint);
  return lines.join('\n');
}

/** The line an error is in, with a caret under its column. */
function sourceLines(source: string, {line, column}: Position): readonly string[] {
  const text = source.split('\n')[line - 1];
  if (text === undefined) return [];
  const number = String(line);
  // Tabs stay tabs above and below, so that the caret stands under its character whatever a tab's width is.
  const indent = [...text].slice(0, column - 1).map((character) => (character === '\t' ? '\t' : ' '));
  return [`  ${number} | ${text.trimEnd()}`, `  ${' '.repeat(number.length)} | ${indent.join('')}^`];
}

/** The documented shape of an error under `--json`. */
export function errorJson(error: FreshetError): object {
  return {
    error: {
      code: error.code,
      message: error.message,
      hint: error.hint ?? null,
      position: error.position ?? null,
    },
  };
}
