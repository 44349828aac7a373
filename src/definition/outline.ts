import {createRequire} from 'node:module';
import type {TableName} from '../table-name.ts';

/** What a query reads, as far as can be told without a database; null when that is not known. */
export type Outline = readonly TableName[] | null;

type Parse = (query: string, options: {database: string}) => {ast: unknown};

/**
 * The tables that a query names, CTEs left out. node-sql-parser does not speak DuckDB's dialect (FROM-first, GROUP BY ALL):
 * what it can't read is unknown, never an error. Good for ordering files; DuckDB alone judges what a query means.
 */
export function outline(query: string): Outline {
  const ast = parsed(query);
  if (ast === null) return null;
  const reads = new Map<string, TableName>();
  collect(ast, new Set(), (table) => reads.set(JSON.stringify([table.schema, table.name]), table));
  return [...reads.values()];
}

function parsed(query: string): object | null {
  try {
    const {ast} = parser()(query, {database: 'Postgresql'});
    const [only, ...others] = Array.isArray(ast) ? (ast as unknown[]) : [ast];
    return others.length === 0 && isObject(only) && only['type'] === 'select' ? only : null;
  } catch {
    // Its dialect is not DuckDB's, so that it refuses says nothing about the query.
    return null;
  }
}

let loaded: Parse | undefined;

/** Loaded when first needed: half a megabyte. */
function parser(): Parse {
  if (loaded === undefined) {
    const {Parser} = createRequire(import.meta.url)('node-sql-parser/build/postgresql.js') as {
      Parser: new () => {parse: Parse};
    };
    const instance = new Parser();
    loaded = (query, options) => instance.parse(query, options);
  }
  return loaded;
}

function collect(node: unknown, ctes: ReadonlySet<string>, read: (table: TableName) => void): void {
  if (Array.isArray(node)) return node.forEach((part) => collect(part, ctes, read));
  if (!isObject(node)) return;
  const inner = new Set(ctes);
  for (const cte of ctesOf(node)) {
    if (cte.recursive) inner.add(cte.name);
    collect(cte.body, inner, read);
    inner.add(cte.name);
  }
  for (const [key, value] of Object.entries(node)) {
    if (key === 'with') continue;
    if (key === 'from' && Array.isArray(value)) value.forEach((from) => readFrom(from, inner, read));
    collect(value, inner, read);
  }
}

function readFrom(from: unknown, ctes: ReadonlySet<string>, read: (table: TableName) => void): void {
  if (!isObject(from) || typeof from['table'] !== 'string') return;
  const name = from['table'];
  // Of three parts, db is the catalog and schema the schema; of two, db is the schema.
  const schema = from['schema'] ?? from['db'];
  if (typeof schema === 'string') read({schema, name});
  else if (!ctes.has(name.toLowerCase())) read({schema: 'main', name});
}

type Cte = {readonly name: string; readonly recursive: boolean; readonly body: unknown};

function ctesOf(node: Readonly<Record<string, unknown>>): readonly Cte[] {
  const list = Array.isArray(node['with']) ? (node['with'] as unknown[]) : [];
  const recursive = list.some((cte) => isObject(cte) && cte['recursive'] === true);
  return list.flatMap((cte) => {
    const name = isObject(cte) && isObject(cte['name']) ? cte['name']['value'] : undefined;
    return isObject(cte) && typeof name === 'string' ? [{name: name.toLowerCase(), recursive, body: cte['stmt']}] : [];
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
