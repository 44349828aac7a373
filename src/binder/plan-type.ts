import {identifier, literal} from '../sql.ts';
import {integerOf, isObject, listOf, objectsOf, textOf, type Json} from './json.ts';

/**
 * A type of the plan as SQL; null when it is none that can be written. A collation is left out: the plan has made calls of it
 * wherever it matters.
 */
export function planType(json: Json | undefined): string | null {
  if (!isObject(json)) return null;
  const {id, type_info: info} = json;
  if (info === undefined || info === null) return plainType(textOf(id));
  if (!isObject(info)) return null;
  switch (info['type']) {
    case 'GENERIC_TYPE_INFO':
      return plainType(textOf(info['alias']) || textOf(id));
    case 'STRING_TYPE_INFO':
      return 'VARCHAR';
    case 'DECIMAL_TYPE_INFO':
      return `DECIMAL(${integerOf(info['width'])},${integerOf(info['scale'])})`;
    case 'LIST_TYPE_INFO':
      return id === 'MAP' ? mapType(info['child_type']) : suffixed(planType(info['child_type']), '[]');
    case 'ARRAY_TYPE_INFO':
      return suffixed(planType(info['child_type']), `[${integerOf(info['size'])}]`);
    case 'STRUCT_TYPE_INFO':
      return id === 'STRUCT' ? structType(info['child_types']) : null;
    case 'ENUM_TYPE_INFO':
      return `ENUM(${listOf(info['values'])
        .map((value) => literal(textOf(value)).text)
        .join(', ')})`;
    default:
      return null;
  }
}

function structFields(json: Json | undefined): readonly {readonly name: string; readonly type: Json | undefined}[] {
  const info = isObject(json) && isObject(json['type_info']) ? json['type_info'] : {};
  return objectsOf(info['child_types']).map((field) => ({name: textOf(field['first']), type: field['second']}));
}

/** What a LIST holds. */
export function elementType(json: Json | undefined): Json | undefined {
  return isObject(json) && isObject(json['type_info']) ? json['type_info']['child_type'] : undefined;
}

const incomplete: ReadonlySet<string> = new Set(['ANY', 'LAMBDA', 'UNKNOWN', 'INVALID', 'STRUCT', 'LIST', 'MAP']);

/** GEOMETRY could be written, but DuckDB 1.5.5 finds no row where several of them are looked up by equality, as keys are. */
function plainType(id: string): string | null {
  if (id === 'NULL') return '"NULL"';
  return /^[A-Z]/i.test(id) && !incomplete.has(id) && id !== 'GEOMETRY' ? id : null;
}

/** What a type is called, also one that can't be written. */
export function typeName(json: Json | undefined): string {
  const type = isObject(json) && isObject(json['type']) ? json['type'] : json;
  if (!isObject(type)) return 'unknown';
  const {id, type_info: info} = type;
  return (isObject(info) ? textOf(info['alias']) : '') || textOf(id);
}

function structType(fields: Json | undefined): string | null {
  const parts = objectsOf(fields).map(({first, second}) => {
    const type = planType(second);
    if (type === null) return null;
    return first === '' ? type : `${identifier(textOf(first)).text} ${type}`;
  });
  return parts.includes(null) ? null : `STRUCT(${parts.join(', ')})`;
}

function mapType(entry: Json | undefined): string | null {
  const [key, value] = structFields(entry).map(({type}) => planType(type));
  return key && value ? `MAP(${key}, ${value})` : null;
}

function suffixed(type: string | null, suffix: string): string | null {
  return type === null ? null : `${type}${suffix}`;
}
