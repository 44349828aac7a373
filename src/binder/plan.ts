import type {Session} from '../lake/session.ts';
import {literal, sql} from '../sql.ts';
import {isObject, parseJson, type JsonObject} from './json.ts';

/**
 * What DuckDB makes of a query: `{plans: […]}`, or `{error: true, …}`. `optimize` pushes filters down, the only rule that a binder
 * instance has. skip_empty would lose what is empty inside of lists.
 */
export async function planOf(
  session: Session,
  text: string,
  {optimize}: {readonly optimize: boolean},
): Promise<JsonObject> {
  const [row] = await session.rows<{plan: string}>(
    sql`SELECT json_serialize_plan(${literal(text)}, skip_default := true, skip_null := true, optimize := ${literal(optimize)}) AS plan`,
  );
  const answer = parseJson(row?.plan ?? 'null');
  if (!isObject(answer)) throw new Error('json_serialize_plan gave no object');
  return answer;
}
