/** A type as DuckDB writes it, taken apart. */
export type DuckType =
  /** `DECIMAL(12,2)`, `ENUM('a', 'b')` and everything without parts; `base` is `DECIMAL`, `ENUM` … */
  | {readonly kind: 'plain'; readonly base: string; readonly text: string}
  | {readonly kind: 'list'; readonly element: DuckType}
  | {readonly kind: 'array'; readonly element: DuckType; readonly size: string}
  /** STRUCT, UNION and MAP; `label` is the field's name as written, with the space after it. */
  | {
      readonly kind: 'nested';
      readonly base: string;
      readonly parts: readonly {readonly label: string; readonly type: DuckType}[];
    };

/** Takes a type's text apart: names in quotes may hold anything. */
export function parseType(text: string): DuckType {
  const inner = /^(.*)\[(\d*)\]$/s.exec(text);
  if (inner) {
    const element = parseType(inner[1] ?? '');
    return inner[2] === '' ? {kind: 'list', element} : {kind: 'array', element, size: inner[2] ?? ''};
  }
  const nested = /^(STRUCT|UNION|MAP)\((.*)\)$/s.exec(text);
  const [, base = '', list = ''] = nested ?? [];
  if (nested === null) return {kind: 'plain', base: text.replace(/\(.*$/s, ''), text};
  return {kind: 'nested', base, parts: splitParts(list).map((part) => readPart(base, part))};
}

export function typeText(type: DuckType): string {
  switch (type.kind) {
    case 'plain':
      return type.text;
    case 'list':
      return `${typeText(type.element)}[]`;
    case 'array':
      return `${typeText(type.element)}[${type.size}]`;
    case 'nested':
      return `${type.base}(${type.parts.map((part) => part.label + typeText(part.type)).join(', ')})`;
  }
}

/** The same type with every part that has no parts replaced. */
export function mapPlain(type: DuckType, change: (plain: DuckType & {kind: 'plain'}) => DuckType): DuckType {
  switch (type.kind) {
    case 'plain':
      return change(type);
    case 'list':
    case 'array':
      return {...type, element: mapPlain(type.element, change)};
    case 'nested':
      return {...type, parts: type.parts.map(({label, type: part}) => ({label, type: mapPlain(part, change)}))};
  }
}

function readPart(base: string, part: string): {label: string; type: DuckType} {
  const label = base === 'MAP' ? '' : (/^(?:"(?:[^"]|"")*"|[^\s"(]+) (?=\S)/.exec(part)?.[0] ?? '');
  // Unnamed fields are types alone, some of several words.
  const isType = /^(TIME|TIMESTAMP) $/.test(label) && part.startsWith('WITH TIME ZONE', label.length);
  return isType ? {label: '', type: parseType(part)} : {label, type: parseType(part.slice(label.length))};
}

/** Splits at commas that are in no quotes and no parentheses. */
function splitParts(list: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let current = '';
  for (const piece of list.match(/"(?:[^"]|"")*"|'(?:[^']|'')*'|[^]/g) ?? []) {
    if (piece === '(') depth += 1;
    if (piece === ')') depth -= 1;
    if (piece === ',' && depth === 0) {
      parts.push(current.trim());
      current = '';
    } else {
      current += piece;
    }
  }
  return current.trim() === '' ? parts : [...parts, current.trim()];
}
