import {FreshetError} from '../src/errors.ts';

/**
 * One line of a scenario file: tables, a query that is kept as a dynamic table over them, and what happens to the tables.
 * Names without a schema are in the lake's `main`.
 */
export type Scenario = {
  readonly id: Id;
  /** Statements that make the tables and their first rows. */
  readonly setup: readonly string[];
  readonly view: string;
  /** After the statements of each step, every one committed by itself, the dynamic tables are refreshed. */
  readonly steps: readonly (readonly string[])[];
  /** Given: one dynamic table for each upstream, in this order, and `chain.view` in the place of `view` over them. */
  readonly chain: Chain | null;
};

export type Id = string | number | null;

export type Chain = {
  readonly upstream: readonly {readonly name: string; readonly sql: string}[];
  readonly view: string;
};

/** A line as a scenario. Unknown keys are ignored, for other tools keep notes of their own in the same file. */
export function readScenario(line: string): Scenario {
  const value = object(JSON.parse(line), 'a scenario');
  return {
    id: readId(value),
    setup: texts(value['setup'] ?? [], 'setup'),
    view: query(value['view'] ?? object(value['chain'], 'chain')['view'], 'view'),
    steps: list(value['steps'] ?? [], 'steps').map((step, i) => texts(step, `steps[${i}]`)),
    chain: value['chain'] === undefined || value['chain'] === null ? null : readChain(value['chain']),
  };
}

/** The id of a line, as far as it can be made out, so that an error can be told to its line. */
export function idOf(line: string): Id {
  try {
    return readId(object(JSON.parse(line), 'a scenario'));
  } catch {
    return null;
  }
}

function readId(value: Readonly<Record<string, unknown>>): Id {
  const id = value['id'];
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}

function readChain(value: unknown): Chain {
  const chain = object(value, 'chain');
  return {
    upstream: list(chain['upstream'], 'chain.upstream').map((item, i) => {
      const upstream = object(item, `chain.upstream[${i}]`);
      return {
        name: text(upstream['name'], `chain.upstream[${i}].name`),
        sql: query(upstream['sql'], `chain.upstream[${i}].sql`),
      };
    }),
    view: query(chain['view'], 'chain.view'),
  };
}

function texts(value: unknown, where: string): readonly string[] {
  return list(value, where).map((item, i) => text(item, `${where}[${i}]`));
}

/** A statement's end is no part of its query. */
function query(value: unknown, where: string): string {
  return text(value, where).replace(/[;\s]+$/, '');
}

function text(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw notWellFormed(where, 'a text');
}

function list(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw notWellFormed(where, 'a list');
}

function object(value: unknown, where: string): Readonly<Record<string, unknown>> {
  // The cast only names what `typeof` has shown: an object's values are of any kind.
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw notWellFormed(where, 'an object');
}

function notWellFormed(where: string, what: string): FreshetError {
  return new FreshetError('syntax', `The scenario is not well formed: ${where} should be ${what}.`);
}
