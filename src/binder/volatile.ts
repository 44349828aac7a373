import type {Session} from '../lake/session.ts';
import {sql} from '../sql.ts';
import {planOf} from './plan.ts';
import {isObject, listOf, objectsOf, textOf, type Json} from './json.ts';

/**
 * Functions without a value at a snapshot that a query calls, by name. Looked for in the plan before DuckDB optimises it, for with
 * filter_pushdown a `current_date` in a filter is folded into today's date; and in the texts, for what stands in the arguments of
 * a table function (`range(start, current_date, …)`) is folded when it is bound.
 */
export async function volatileFunctionsIn(
  session: Session,
  text: string,
  inTexts: readonly string[],
): Promise<readonly string[]> {
  const called = new Set(inTexts);
  const {plans} = await planOf(session, text, {optimize: false});
  objectsOf(plans).forEach((plan) => collect(plan, called));
  if (called.size === 0) return [];
  const volatile = await volatileFunctions(session);
  return [...called].filter((name) => volatile.has(name)).toSorted();
}

/** DuckDB calls it consistent, but it counts from the current day. */
export const ageOfToday = 'age(timestamp)';

/** Drawn anew each time. */
export const sampleByChance = 'a sample without REPEATABLE';

let known: Promise<ReadonlySet<string>> | undefined;

/** They belong to DuckDB's version, and listing its functions takes longer than binding a query: asked for once. */
async function volatileFunctions(session: Session): Promise<ReadonlySet<string>> {
  known ??= listed(session);
  try {
    return await known;
  } catch (error) {
    known = undefined;
    throw error;
  }
}

/** `error` is said to be volatile only so that nothing calls it early; the others are macros and words for such functions. */
async function listed(session: Session): Promise<ReadonlySet<string>> {
  const rows = await session.rows<{name: string}>(
    sql`SELECT DISTINCT function_name AS name FROM duckdb_functions()
      WHERE database_name = 'system' AND stability IN ('VOLATILE', 'CONSISTENT_WITHIN_QUERY') AND function_name <> 'error'`,
  );
  const others = [
    ageOfToday,
    sampleByChance,
    'ago',
    'current_timestamp',
    'current_time',
    'localtime',
    'localtimestamp',
  ];
  return new Set([...rows.map(({name}) => name), ...others]);
}

function collect(json: Json | undefined, called: Set<string>): void {
  if (Array.isArray(json)) return (json as readonly Json[]).forEach((part) => collect(part, called));
  if (!isObject(json)) return;
  if (json['expression_class'] === 'BOUND_FUNCTION') {
    const name = textOf(json['name']);
    called.add(name === 'age' && listOf(json['children']).length === 1 ? ageOfToday : name);
  }
  Object.values(json).forEach((part) => collect(part, called));
}
