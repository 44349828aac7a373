import {FreshetError} from '../errors.ts';
import {mapPlain, parseType, typeText, type DuckType} from '../relation/type-text.ts';
import {identifier} from '../sql.ts';
import type {BoundOutput} from './bound.ts';

/** The columns of the target, from the names and types that DuckDB gives the query. */
export function outputsOf(columns: readonly {readonly name: string; readonly type: string}[]): readonly BoundOutput[] {
  const names = numbered(columns.map(({name}) => name));
  return columns.map(({type}, i) => {
    const name = names[i] ?? '';
    refuseReserved(name);
    return {name, type, storedType: storedType(name, type)};
  });
}

/** Names that occur twice get a number, as CREATE TABLE AS numbers them. */
function numbered(names: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  return names.map((name) => {
    const plain = name.toLowerCase();
    const count = counts.get(plain);
    if (count === undefined) {
      counts.set(plain, 1);
      return name;
    }
    let next = count;
    while (counts.has(`${plain}_${next}`)) next += 1;
    counts.set(plain, next);
    counts.set(`${plain}_${next}`, 1);
    return `${name}_${next}`;
  });
}

const reservedNames = new Set([
  'row_id',
  'begin_snapshot',
  'end_snapshot',
  '_ducklake_internal_row_id',
  '_ducklake_internal_snapshot_id',
  // Would hide the row's own identity, by which single copies of a row are taken away.
  'rowid',
]);

function refuseReserved(name: string): void {
  if (!reservedNames.has(name.toLowerCase())) return;
  throw new FreshetError(
    'invalid_column_name',
    `A column can't be named "${name}": DuckLake keeps that name for itself`,
    {
      hint: `Give it another name: … AS ${written(`my_${name.replace(/^_+/, '')}`)}.`,
    },
  );
}

/** The type that the lake keeps exactly; refused where there is none. */
function storedType(name: string, type: string): string {
  const parsed = parseType(type);
  refuse(name, type, parsed);
  return typeText(
    mapPlain(parsed, (plain) => {
      if (plain.base === 'HUGEINT' || plain.base === 'UHUGEINT') return parseType('DECIMAL(38,0)');
      return plain.base === 'ENUM' ? parseType('VARCHAR') : plain;
    }),
  );
}

/** What the lake refuses or would change on the way, and the cast that keeps the most of it. */
const refusedTypes: ReadonlyMap<string, {readonly why: string; readonly cast: string}> = new Map([
  ['BIT', {why: "the lake can't store it", cast: 'VARCHAR'}],
  ['BIGNUM', {why: "the lake can't store it", cast: 'VARCHAR'}],
  ['TIME_NS', {why: "the lake can't store it", cast: 'TIME'}],
  ['INTERVAL', {why: 'the lake would lose its microseconds', cast: 'VARCHAR'}],
  ['TIME WITH TIME ZONE', {why: 'the lake would lose its offset', cast: 'VARCHAR'}],
  ['UNION', {why: "the lake can't store it", cast: 'VARCHAR'}],
]);

function refusalOf(part: DuckType): {readonly why: string; readonly cast: string} | undefined {
  return part.kind === 'plain' || part.kind === 'nested' ? refusedTypes.get(part.base) : undefined;
}

function refuse(name: string, type: string, part: DuckType): void {
  const refused = refusalOf(part);
  if (refused !== undefined) throw unsupported(name, type, refused.why);
  if (part.kind === 'nested' && part.base === 'STRUCT' && part.parts.some(({label}) => label === '')) {
    throw new FreshetError(
      'unsupported_type',
      `Column "${name}" is a row without field names (${type}), which the lake can't store`,
      {
        hint: 'Name its fields: struct_pack(a := …, b := …).',
      },
    );
  }
  if (part.kind === 'array') throw unsupported(name, type, "the lake can't store lists of fixed length");
  if (part.kind === 'list') refuse(name, type, part.element);
  if (part.kind === 'nested') part.parts.forEach((each) => refuse(name, type, each.type));
}

function unsupported(name: string, type: string, why: string): FreshetError {
  return new FreshetError('unsupported_type', `Column "${name}" has type ${type}: ${why}`, {
    hint: `Cast it: CAST(… AS ${typeText(storable(parseType(type)))}) AS ${written(name)}.`,
  });
}

/** A name as somebody would write it. */
function written(name: string): string {
  return /^[a-z_]\w*$/i.test(name) ? name : identifier(name).text;
}

/** The nearest type that the lake stores as it is. */
function storable(type: DuckType): DuckType {
  const refused = refusalOf(type);
  if (refused !== undefined) return parseType(refused.cast);
  switch (type.kind) {
    case 'plain':
      return type;
    case 'list':
    case 'array':
      return {kind: 'list', element: storable(type.element)};
    case 'nested':
      return {...type, parts: type.parts.map(({label, type: part}) => ({label, type: storable(part)}))};
  }
}
