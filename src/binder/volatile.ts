import type {Session} from '../lake/session.ts';
import {sql} from '../sql.ts';
import {isObject, listOf, textOf, type Json} from './json.ts';

/** Functions without a value at a snapshot, by name: those that the plan calls, or, without a plan, the texts. */
export async function volatileFunctionsIn(
  session: Session,
  plan: Json | undefined,
  inTexts: readonly string[],
): Promise<readonly string[]> {
  const called = new Set<string>(plan === undefined ? inTexts : []);
  collect(plan, called);
  if (called.size === 0) return [];
  const volatile = await volatileFunctions(session);
  return [...called].filter((name) => volatile.has(name) || name === ageOfToday).toSorted();
}

/** DuckDB calls it consistent, but it counts from the current day. */
export const ageOfToday = 'age(timestamp)';

/** `error` is said to be volatile only so that nothing calls it early. */
async function volatileFunctions(session: Session): Promise<ReadonlySet<string>> {
  const rows = await session.rows<{name: string}>(
    sql`SELECT DISTINCT function_name AS name FROM duckdb_functions()
      WHERE stability IN ('VOLATILE', 'CONSISTENT_WITHIN_QUERY') AND function_name <> 'error'`,
  );
  return new Set(rows.map(({name}) => name));
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
