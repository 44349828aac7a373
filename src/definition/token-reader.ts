import {FreshetError} from '../errors.ts';
import {positionAt} from './position.ts';
import type {Query} from './statement.ts';
import {type Token, tokenize} from './tokens.ts';

/** Goes through a statement's tokens from first to last. */
export class TokenReader {
  private readonly text: string;
  private readonly tokens: readonly Token[];
  private next = 0;

  constructor(text: string) {
    this.text = text;
    this.tokens = tokenize(text);
  }

  peek(): Token | undefined {
    return this.tokens[this.next];
  }

  /** Takes these keywords if they come next, all of them. */
  takeWords(...words: readonly string[]): boolean {
    const come = words.every((word, i) => isWord(this.tokens[this.next + i], word));
    if (come) this.next += words.length;
    return come;
  }

  takeSymbol(symbol: string): boolean {
    const token = this.peek();
    const comes = token?.kind === 'symbol' && token.value === symbol;
    if (comes) this.next += 1;
    return comes;
  }

  take(): Token | undefined {
    const token = this.peek();
    if (token !== undefined) this.next += 1;
    return token;
  }

  expectName(what: string): string {
    const token = this.peek();
    if (token?.kind !== 'word' && token?.kind !== 'quoted')
      throw this.error(`${this.found()} stands where ${what} belongs`);
    if (token.value === '') throw this.error("A name can't be empty");
    this.next += 1;
    return token.value;
  }

  expectText(what: string): string {
    const token = this.peek();
    if (token?.kind !== 'string') throw this.error(`${this.found()} stands where ${what} belongs`);
    this.next += 1;
    return token.value;
  }

  expectEnd(): void {
    while (this.takeSymbol(';'));
    if (this.peek() !== undefined) throw this.error(`${this.found()} stands after the end of the statement`);
  }

  /** Everything up to the end as text, without the semicolon that ends it; null when there is nothing. */
  takeRest(): Query | null {
    const first = this.peek();
    const rest = this.tokens.slice(this.next);
    const last = rest.findLast((token) => token.value !== ';' || token.kind !== 'symbol');
    if (first === undefined || last === undefined) return null;
    this.next = this.tokens.length;
    return {text: this.text.slice(first.start, last.end), statement: this.text, offset: first.start};
  }

  /** What comes next, for messages. */
  found(): string {
    const token = this.peek();
    if (token === undefined) return 'The end of the statement';
    const text = this.text.slice(token.start, token.end);
    // These bring quotes of their own.
    return token.kind === 'string' || token.kind === 'quoted' ? text : `"${text}"`;
  }

  /** A mistake at the next token, or at the place given. */
  error(message: string, {at, hint}: {at?: number; hint?: string} = {}): FreshetError {
    const offset = at ?? this.peek()?.start ?? this.text.trimEnd().length;
    return new FreshetError('syntax', message, {position: positionAt(this.text, offset), hint});
  }
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.value.toUpperCase() === word;
}
