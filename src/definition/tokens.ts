import {FreshetError} from '../errors.ts';
import {positionAt} from './position.ts';

/** A piece of a statement; `value` is without its quotes. Comments and white space are not tokens. */
export type Token = {
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'symbol';
  readonly value: string;
  readonly start: number;
  readonly end: number;
};

const patterns: readonly (readonly [Token['kind'] | 'skipped', RegExp])[] = [
  ['skipped', /\s+|--[^\n]*/y],
  ['string', /[eE]'(?:[^'\\]|''|\\[^])*'|'(?:[^']|'')*'/y],
  ['string', /\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$[^]*?\$\1\$/y],
  ['quoted', /"(?:[^"]|"")*"/y],
  ['number', /(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y],
  ['word', /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y],
  ['symbol', /[^]/uy],
];

/** The tokens of a text as DuckDB sees them: quotes, dollar quotes and (nested) comments hide what is in them. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let start = 0;
  while (start < text.length) {
    const end = text.startsWith('/*', start) ? endOfComment(text, start) : nextEnd(text, start, tokens);
    start = end;
  }
  return tokens;
}

function nextEnd(text: string, start: number, tokens: Token[]): number {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = start;
    const found = pattern.exec(text)?.[0];
    if (found === undefined) continue;
    const end = start + found.length;
    if (kind === 'symbol') refuseOpenQuote(text, found, start);
    if (kind !== 'skipped') tokens.push({kind, value: unquoted(kind, found), start, end});
    return end;
  }
  return text.length;
}

function endOfComment(text: string, start: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let depth = 0;
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  throw unclosed(text, 'comment', start);
}

function refuseOpenQuote(text: string, symbol: string, start: number): void {
  if (symbol === "'" || symbol === '"') throw unclosed(text, symbol === "'" ? 'string' : 'quoted name', start);
}

function unclosed(text: string, what: string, start: number): FreshetError {
  return new FreshetError('syntax', `This ${what} is not closed`, {position: positionAt(text, start)});
}

function unquoted(kind: Token['kind'], found: string): string {
  if (kind === 'quoted') return found.slice(1, -1).replaceAll('""', '"');
  if (kind !== 'string') return found;
  if (found.startsWith('$')) return found.slice(found.indexOf('$', 1) + 1, found.lastIndexOf('$', found.length - 2));
  return found.slice(found.indexOf("'") + 1, -1).replaceAll("''", "'");
}
