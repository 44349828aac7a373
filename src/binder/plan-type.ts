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
      return textOf(info['alias']) || plainType(textOf(id));
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

function plainType(id: string): string | null {
  if (id === 'NULL') return '"NULL"';
  return /^[A-Z]/.test(id) && !['ANY', 'LAMBDA', 'UNKNOWN', 'INVALID', 'STRUCT', 'LIST', 'MAP'].includes(id)
    ? id
    : null;
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
