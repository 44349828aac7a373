/**
 * SQL as fragments, never as strings: a value gets into a statement only through `literal`, a name only through
 * `identifier`. This is the one place where Freshet escapes.
 */
export type Sql = {readonly text: string};

/** A template of fragments: `sql\`select * from ${identifier(name)}\``. Anything but a fragment or a number is a type error. */
export function sql(strings: TemplateStringsArray, ...parts: readonly (Sql | number)[]): Sql {
  return {text: strings.reduce((text, piece, i) => text + render(parts[i - 1]) + piece)};
}

function render(part: Sql | number | undefined): string {
  return typeof part === 'number' ? String(part) : (part?.text ?? '');
}

/** A name, always quoted. */
export function identifier(name: string): Sql {
  return {text: `"${name.replaceAll('"', '""')}"`};
}

/** A path of names: `"lake"."main"."orders"`. */
export function path(...names: readonly string[]): Sql {
  return join(names.map(identifier), '.');
}

/** A value: text, number, boolean, null, or a list of them. */
export function literal(value: string | number | bigint | boolean | null | readonly string[]): Sql {
  if (value === null) return {text: 'NULL'};
  if (typeof value === 'string') return {text: `'${value.replaceAll("'", "''")}'`};
  if (Array.isArray(value)) return sql`[${join(value.map(literal), ', ')}]`;
  return {text: String(value)};
}

/** Fragments with text between them. */
export function join(parts: readonly Sql[], separator = ', '): Sql {
  return {text: parts.map((part) => part.text).join(separator)};
}

/** Text that is SQL already: what DuckDB or the user wrote, never something to be escaped. */
export function raw(text: string): Sql {
  return {text};
}

/** The same SQL two spaces further in; what is quoted keeps its line breaks. For SQL that we have printed, without comments. */
export function indented({text}: Sql): Sql {
  const further = text.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|\n/g, (piece) => (piece === '\n' ? '\n  ' : piece));
  return {text: `  ${further}`};
}

export const nothing: Sql = {text: ''};
