import type {Query} from '../definition/statement.ts';
import type {Session} from '../lake/session.ts';
import {columnsOfRelation, scansOf} from '../relation/relation.ts';
import {prune} from '../relation/rewrite/prune.ts';
import {raw, sql} from '../sql.ts';
import {tableNameText, type TableName} from '../table-name.ts';
import {bindError} from './bind-error.ts';
import type {Bound, Reading} from './bound.ts';
import {isObject, objectsOf, textOf, type Json, type JsonObject} from './json.ts';
import {outputsOf} from './outputs.ts';
import type {Reached} from './reach.ts';
import {planOf} from './plan.ts';
import {readPlan} from './read-plan.ts';
import {volatileFunctionsIn} from './volatile.ts';

/**
 * Binds a query in a session of `lake.bind` that uses a mirror of what it reaches. DuckDB says what the query means; we read its
 * plan. Throws what DuckDB finds wrong, at its place in the user's statement.
 */
export async function bindQuery(session: Session, query: Query, reached: Reached): Promise<Bound> {
  const answer = await planOf(session, query.text, {optimize: true});
  if (answer['error'] === true && !isOfSerializer(answer)) {
    const columns = reached.tables.flatMap((table) => table.columns.map(({name}) => name));
    throw bindError(answer, query, {columns, macros: reached.scalarMacros});
  }
  const [plan] = objectsOf(answer['plans']);
  const described = await session.rows<{name: string; type: string}>(
    sql`SELECT column_name AS name, column_type AS type FROM (DESCRIBE (${raw(query.text)}\n))`,
  );
  const outputs = outputsOf(described);
  const reading = plan === undefined ? notSerialized(answer) : fitting(readPlan(plan), outputs.length);
  return {
    outputs,
    sources: sourcesOf(reading, plan, reached),
    reading,
    volatileFunctions: await volatileFunctionsIn(session, query.text, reached.functions),
  };
}

/** Bound all right, but some of its operators can't be written as JSON. */
function isOfSerializer(answer: JsonObject): boolean {
  return /serializ/i.test(textOf(answer['error_message'])) || answer['error_type'] === 'serialization';
}

function notSerialized(answer: JsonObject): Reading {
  const [, what = 'part of the plan'] =
    /(\w+) (?:not implemented|does not support)/i.exec(textOf(answer['error_message'])) ?? [];
  return {kind: 'full', reasons: [{kind: 'construct', construct: `what DuckDB can't serialize (${what})`}]};
}

function fitting(reading: Reading, columns: number): Reading {
  if (reading.kind === 'full' || columnsOfRelation(reading.relation).length === columns) return reading;
  return {kind: 'full', reasons: [{kind: 'round-trip', detail: 'its plan has other columns than the query'}]};
}

/** Without a relation every column of what the plan scans counts as used; without a plan, of all it reaches. */
function sourcesOf(reading: Reading, plan: JsonObject | undefined, {tables}: Reached): Bound['sources'] {
  if (reading.kind === 'relation') {
    const scans = scansOf(prune(reading.relation));
    return merged(scans.map(({source, columns}) => ({table: source, columns: columns.map(({name}) => name)})));
  }
  const scanned = plan === undefined ? null : new Set(scannedTables(plan).map(tableNameText));
  return tables
    .filter(({table}) => scanned === null || scanned.has(tableNameText(table)))
    .map(({table, columns}) => ({table, columns: columns.map(({name}) => name)}));
}

function merged(scans: Bound['sources']): Bound['sources'] {
  const sources = new Map<string, {table: TableName; columns: readonly string[]}>();
  for (const {table, columns} of scans) {
    const known = sources.get(tableNameText(table))?.columns ?? [];
    sources.set(tableNameText(table), {table, columns: [...new Set([...known, ...columns])]});
  }
  return [...sources.values()];
}

function scannedTables(json: Json | undefined): readonly TableName[] {
  if (Array.isArray(json)) return (json as readonly Json[]).flatMap(scannedTables);
  if (!isObject(json)) return [];
  const data = json['name'] === 'ducklake_scan' && isObject(json['function_data']) ? [json['function_data']] : [];
  const here = data.map((scan) => ({schema: textOf(scan['schema_name']), name: textOf(scan['table_name'])}));
  return [...here, ...Object.values(json).flatMap(scannedTables)];
}
