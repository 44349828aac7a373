import type {Reason} from '../delta/reason.ts';
import type {Column, Expression} from '../relation/expression.ts';
import type {JsonObject} from './json.ts';

/**
 * One reading of a plan. What can't be represented is declined and replaced by something empty, so that the rest of the plan is
 * still walked and a person learns all the reasons at once; whatever was declined, the result is thrown away.
 */
export type Reading = {
  readonly reasons: Reason[];
  /** What stands above an aggregate tells of the choices in it. */
  readonly choices: WeakMap<JsonObject, Choices>;
  readonly ctes: Map<number, Cte>;
  nextId: number;
  /** Operators read so far: a CTE that is read many times over multiplies them. */
  operators: number;
};

/**
 * Why an aggregate's choice is none, by its place: `single` is over one row at most, so that the first is the largest; the list of
 * a `sorted` one is sorted above it, so that any order of it will do.
 */
export type Choices = ReadonlyMap<number, 'single' | 'sorted'>;

export type Cte = {readonly plan: JsonObject; readonly name: string; references: number; isInexact: boolean};

export function beginReading(): Reading {
  return {reasons: [], choices: new WeakMap(), ctes: new Map(), nextId: 1, operators: 0};
}

export function freshColumn(reading: Reading, name: string, type: string): Column {
  return {id: reading.nextId++, name, type};
}

export function decline(reading: Reading, reason: Reason): void {
  const text = JSON.stringify(reason);
  if (!reading.reasons.some((known) => JSON.stringify(known) === text)) reading.reasons.push(reason);
}

export function declineConstruct(reading: Reading, construct: string, rewrite?: string): void {
  decline(reading, {kind: 'construct', construct, ...(rewrite === undefined ? {} : {rewrite})});
}

/** Stands for an expression that was declined. */
export const declined: Expression = {kind: 'column', id: 0, type: '"NULL"'};

/**
 * Declines a node with a key that we don't know: the plan's format belongs to DuckDB's version, and a key that is silently passed
 * over (a window's filter once was) makes wrong rows.
 */
export function onlyKnown(reading: Reading, node: JsonObject, what: string, keys: readonly string[]): void {
  for (const [key, value] of Object.entries(node)) {
    if (value !== undefined && !keys.includes(key)) declineConstruct(reading, `${what} with "${key}"`);
  }
}
