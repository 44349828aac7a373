import type {Draws} from './draws.ts';

/** Kinds of values, as far as the generator tells types apart. */
export type Kind = 'int' | 'text' | 'decimal' | 'date' | 'time' | 'bool' | 'double' | 'struct' | 'list';

export type Column = {readonly name: string; readonly kind: Kind};

export const typeOfKind: Readonly<Record<Kind, string>> = {
  int: 'INTEGER',
  text: 'VARCHAR',
  decimal: 'DECIMAL(12,2)',
  date: 'DATE',
  time: 'TIMESTAMP',
  bool: 'BOOLEAN',
  double: 'DOUBLE',
  struct: 'STRUCT(a INTEGER, b VARCHAR)',
  list: 'INTEGER[]',
};

/**
 * Few values of each kind, so that they meet; the hazards are among them: NULL, also inside of others, '', case, accents, −0.0,
 * NaN, rounding. The last one is NULL.
 */
const values: Readonly<Record<Kind, readonly string[]>> = {
  int: ['1', '2', '3', '0', '-1', '7', 'NULL'],
  text: ["'a'", "'b'", "'A'", "''", "'ab%'", "'é'", "'NULL'", 'NULL'],
  decimal: ['1.00', '2.50', '0.00', '-3.10', '1000.01', 'NULL'],
  date: ["DATE '2024-01-01'", "DATE '2024-01-02'", "DATE '2024-02-29'", 'NULL'],
  time: [
    "TIMESTAMP '2024-01-01 00:00:00'",
    "TIMESTAMP '2024-01-01 00:00:00.000001'",
    "TIMESTAMP '2024-02-29 23:59:59'",
    'NULL',
  ],
  bool: ['true', 'false', 'NULL'],
  double: ['1.5', '0.0', "'-0.0'::DOUBLE", "'nan'::DOUBLE", '0.1', '-2.25', '0.7', 'NULL'],
  struct: ["{'a': 1, 'b': 'a'}", "{'a': NULL::INTEGER, 'b': 'a'}", "{'a': 1, 'b': NULL::VARCHAR}", 'NULL'],
  list: ['[1, 2]', '[2, 1]', '[NULL]::INTEGER[]', '[]::INTEGER[]', 'NULL'],
};

export function anyValue(draws: Draws, kind: Kind): string {
  return draws.one(values[kind]);
}

/** A value that is not NULL. */
export function constant(draws: Draws, kind: Kind): string {
  return draws.one(values[kind].slice(0, -1));
}
