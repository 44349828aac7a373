/**
 * JSON that DuckDB serialises. It is not quite JSON: integers are bare 64-bit numbers, which `JSON.parse` would round, and NaN
 * and Infinity are bare words.
 */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export type JsonObject = {readonly [key: string]: Json | undefined};

/** Reads it without a loss: a number that JavaScript can't hold exactly, NaN and the infinities become their text. */
export function parseJson(text: string): Json {
  const exact = text.replace(pieces, (piece) => (piece.startsWith('"') || isExact(piece) ? piece : `"${piece}"`));
  // What JSON.parse makes of JSON is Json.
  return JSON.parse(exact) as Json;
}

const pieces = /"(?:[^"\\]|\\.)*"|-?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|NaN|Infinity)/g;

function isExact(number: string): boolean {
  return /[.eE]/.test(number) || Number.isSafeInteger(Number(number));
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

export function objectsOf(value: Json | undefined): readonly JsonObject[] {
  return listOf(value).filter(isObject);
}

export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** A whole number, or `missing` where DuckDB left it out. */
export function integerOf(value: Json | undefined, missing = 0): number {
  return typeof value === 'number' ? value : missing;
}

/** A whole number of any size. */
export function bigintOf(value: Json | undefined): bigint {
  return typeof value === 'number' || typeof value === 'string' ? BigInt(value) : 0n;
}
