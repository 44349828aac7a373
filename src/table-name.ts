/** A table's schema and name in the lake. */
export type TableName = {readonly schema: string; readonly name: string};

/**
 * The one text for a table's name, used as key, in Temporal ids and for people: `schema.name`, each part quoted when it
 * holds anything but lower-case letters, digits and underscores. Injective: `"a.b".c` is not `a."b.c"`.
 */
export function tableNameText({schema, name}: TableName): string {
  return `${part(schema)}.${part(name)}`;
}

function part(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** Whether two such texts name one table: DuckDB does not tell names apart by case. */
export function isSameName(one: string, other: string): boolean {
  const [a, b] = [readTableName(one), readTableName(other)];
  if (a === null || b === null) return one === other;
  return a.schema.toLowerCase() === b.schema.toLowerCase() && a.name.toLowerCase() === b.name.toLowerCase();
}

/** Reads `name`, `schema.name`, `"quoted"."name"`; a bare name is in `main`. Null when it is no table name. */
export function readTableName(text: string): TableName | null {
  const match = /^\s*(?:("(?:[^"]|"")+"|[^\s".]+)\s*\.\s*)?("(?:[^"]|"")+"|[^\s".]+)\s*$/u.exec(text);
  if (!match?.[2]) return null;
  return {schema: match[1] === undefined ? 'main' : unquote(match[1]), name: unquote(match[2])};
}

function unquote(part: string): string {
  return part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part;
}
