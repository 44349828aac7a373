import type {Expression} from '../relation/expression.ts';
import {literal} from '../sql.ts';
import {bigintOf, integerOf, isObject, listOf, textOf, type Json, type JsonObject} from './json.ts';
import {planType} from './plan-type.ts';

/**
 * A constant of the plan, `{type, is_null, value}`. Printed and bound again it is the same constant or a cast that is written
 * the same way. Null: a type whose values we can't write.
 */
export function planValue(json: Json | undefined): Expression | null {
  if (!isObject(json)) return null;
  const type = planType(json['type']);
  if (type === null) return null;
  if (json['is_null'] === true)
    return {kind: 'constant', sql: type === '"NULL"' ? 'NULL' : `CAST(NULL AS ${type})`, type};
  const {value} = json;
  const id = isObject(json['type']) ? textOf(json['type']['id']) : '';
  if (id === 'LIST') return list(type, children(value));
  if (id === 'STRUCT') return struct(type, children(value));
  const text = scalar(id, type, value);
  return text === null ? null : {kind: 'constant', sql: text, type};
}

/** A text as a constant: arguments that the plan keeps apart from the others. */
export function textConstant(text: string): Expression {
  return {kind: 'constant', sql: literal(text).text, type: 'VARCHAR'};
}

export function listOfConstants(type: string, items: readonly Expression[]): Expression {
  return {kind: 'call', name: 'list_value', arguments: items, type};
}

function list(type: string, items: readonly (Expression | null)[]): Expression | null {
  const values = items.filter((item) => item !== null);
  if (values.length < items.length) return null;
  const call = listOfConstants(type, values);
  return items.length === 0 ? {kind: 'cast', input: call, tries: false, type} : call;
}

function struct(type: string, items: readonly (Expression | null)[]): Expression | null {
  const values = items.filter((item) => item !== null);
  if (values.length < items.length) return null;
  return namedRow(type, values);
}

/** A STRUCT with the names of its type: a row, whose fields are taken in order. */
export function namedRow(type: string, items: readonly Expression[]): Expression {
  return {kind: 'cast', input: {kind: 'call', name: 'row', arguments: items, type: 'ROW'}, tries: false, type};
}

function children(value: Json | undefined): readonly (Expression | null)[] {
  return isObject(value) ? listOf(value['children']).map(planValue) : [];
}

function scalar(id: string, type: string, value: Json | undefined): string | null {
  switch (id) {
    case 'BOOLEAN':
      return value === true ? 'true' : 'false';
    case 'INTEGER':
      return Number(value) < 0 ? cast(textOf(String(value)), type) : String(value);
    case 'TINYINT':
    case 'SMALLINT':
    case 'BIGINT':
    case 'UTINYINT':
    case 'USMALLINT':
    case 'UINTEGER':
      return cast(String(value), type);
    case 'UBIGINT':
      return castText(String(value), type);
    case 'HUGEINT':
    case 'UHUGEINT':
      return castText(String(wide(value)), type);
    case 'DECIMAL':
      return decimal(decimalText(wide(value), type), type);
    case 'FLOAT':
    case 'DOUBLE':
      return castText(Object.is(value, -0) ? '-0.0' : String(value), type);
    case 'VARCHAR':
      return varchar(type, textOf(value));
    case 'BLOB':
      return castText(textOf(value), type);
    case 'UUID':
      return castText(uuidText(wide(value)), type);
    case 'DATE':
      return castOrNull(dateText(bigintOf(value)), type);
    case 'TIME':
      return castText(timeText(bigintOf(value)), type);
    case 'TIMESTAMP':
      return castOrNull(timestampText(bigintOf(value)), type);
    case 'TIMESTAMP WITH TIME ZONE':
      return castOrNull(zoned(timestampText(bigintOf(value))), type);
    case 'INTERVAL':
      return isObject(value) ? castText(intervalText(value), type) : null;
    default:
      return null;
  }
}

/** Written as it is, a number with a point is a DECIMAL of as many digits as it has. */
function decimal(text: string, type: string): string {
  const [whole = '', fraction = ''] = text.split('.');
  const isPlain =
    !text.startsWith('-') &&
    fraction !== '' &&
    type === `DECIMAL(${whole.length + fraction.length},${fraction.length})`;
  return isPlain ? text : castText(text, type);
}

function varchar(type: string, text: string): string | null {
  if (text.includes('\0')) return null;
  return type === 'VARCHAR' ? literal(text).text : castText(text, type);
}

function cast(value: string, type: string): string {
  return `CAST(${value} AS ${type})`;
}

function castText(text: string, type: string): string {
  return cast(literal(text).text, type);
}

function castOrNull(text: string | null, type: string): string | null {
  return text === null ? null : castText(text, type);
}

/** A 128-bit integer comes in two halves. */
function wide(value: Json | undefined): bigint {
  return isObject(value) ? (bigintOf(value['upper']) << 64n) + bigintOf(value['lower']) : bigintOf(value);
}

function decimalText(unscaled: bigint, type: string): string {
  const scale = Number(/,(\d+)\)$/.exec(type)?.[1] ?? 0);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  return `${unscaled < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${digits.slice(-scale)}`}`;
}

/** The highest bit is kept flipped, so that they sort. */
function uuidText(value: bigint): string {
  const digits = (BigInt.asUintN(128, value) ^ (1n << 127n)).toString(16).padStart(32, '0');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const microsPerSecond = 1_000_000n;
const microsPerDay = 86_400n * microsPerSecond;
const infiniteDays = 2_147_483_647n;
const infiniteMicros = 9_223_372_036_854_775_807n;

/** Days since 1970; null where JavaScript's calendar ends. */
function dateText(days: bigint): string | null {
  if (days === infiniteDays) return 'infinity';
  if (days === -infiniteDays) return '-infinity';
  const date = new Date(Number(days) * 86_400_000);
  if (Number.isNaN(date.getTime())) return null;
  const year = date.getUTCFullYear();
  const [shown, era] = year > 0 ? [year, ''] : [1 - year, ' (BC)'];
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${String(shown).padStart(4, '0')}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}${era}`;
}

function timestampText(micros: bigint): string | null {
  if (micros === infiniteMicros) return 'infinity';
  if (micros === -infiniteMicros) return '-infinity';
  const time = ((micros % microsPerDay) + microsPerDay) % microsPerDay;
  const date = dateText((micros - time) / microsPerDay);
  if (date === null) return null;
  const [day = '', era] = date.split(' ');
  return `${day} ${timeText(time)}${era === undefined ? '' : ` ${era}`}`;
}

function zoned(text: string | null): string | null {
  if (text === null || text.endsWith('infinity')) return text;
  return text.endsWith('(BC)') ? null : `${text}+00`;
}

function timeText(micros: bigint): string {
  const seconds = micros / microsPerSecond;
  const parts = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map((part) => String(part).padStart(2, '0'));
  const fraction = micros % microsPerSecond;
  return fraction === 0n ? parts.join(':') : `${parts.join(':')}.${String(fraction).padStart(6, '0')}`;
}

function intervalText(value: JsonObject): string {
  return `${integerOf(value['months'])} months ${integerOf(value['days'])} days ${String(bigintOf(value['micros']))} microseconds`;
}
