import type {Draws} from './draws.ts';

/** Kinds of values, as far as the generator tells types apart. */
export type Kind = 'int' | 'text' | 'decimal' | 'date' | 'bool' | 'double';

export type Column = {readonly name: string; readonly kind: Kind};

export const typeOfKind: Readonly<Record<Kind, string>> = {
  int: 'INTEGER',
  text: 'VARCHAR',
  decimal: 'DECIMAL(12,2)',
  date: 'DATE',
  bool: 'BOOLEAN',
  double: 'DOUBLE',
};

/** Few values of each kind, so that they meet; the hazards are among them: NULL, '', case, accents, −0.0, NaN, rounding. */
const values: Readonly<Record<Kind, readonly string[]>> = {
  int: ['1', '2', '3', '0', '-1', '7', 'NULL'],
  text: ["'a'", "'b'", "'A'", "''", "'ab%'", "'é'", "'NULL'", 'NULL'],
  decimal: ['1.00', '2.50', '0.00', '-3.10', '1000.01', 'NULL'],
  date: ["DATE '2024-01-01'", "DATE '2024-01-02'", "DATE '2024-02-29'", 'NULL'],
  bool: ['true', 'false', 'NULL'],
  double: ['1.5', '0.0', "'-0.0'::DOUBLE", "'nan'::DOUBLE", '0.1', '-2.25', '0.7', 'NULL'],
};

export function anyValue(draws: Draws, kind: Kind): string {
  return draws.one(values[kind]);
}

/** A value that is not NULL. */
export function constant(draws: Draws, kind: Kind): string {
  return draws.one(values[kind].slice(0, -1));
}
