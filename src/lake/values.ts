import {
  DuckDBIntervalValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  JsonDuckDBValueConverter,
  type DuckDBValueConverter,
  type Json,
} from '@duckdb/node-api';

/**
 * DuckDB's values as plain JSON: every integer as a number, or an error where a number can't hold it; times as ISO 8601, those
 * with a time zone in UTC; decimals, intervals and the rest as DuckDB writes them.
 */
export const fromDuckDB: DuckDBValueConverter<Json> = (value, type) => {
  if (value === null) return null;
  if (typeof value === 'bigint') return exactNumber(value);
  if (value instanceof DuckDBTimestampTZValue) return isoTime(value.micros, 'Z') ?? value.toString();
  if (value instanceof DuckDBTimestampValue) return isoTime(value.micros, '') ?? value.toString();
  if (value instanceof DuckDBIntervalValue) return value.toString();
  return JsonDuckDBValueConverter(value, type, fromDuckDB);
};

function exactNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${value} is too large for a number`);
  return number;
}

/** Null for what lies outside of what `Date` knows, the infinities among it. */
function isoTime(micros: bigint, zone: '' | 'Z'): string | null {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const date = new Date(Number((micros - fraction) / 1000n));
  if (Number.isNaN(date.getTime())) return null;
  return `${date.toISOString().slice(0, -5)}.${String(fraction).padStart(6, '0')}${zone}`;
}
