import type {Query} from '../definition/statement.ts';
import {isLakeError} from '../lake/errors.ts';
import type {Session} from '../lake/session.ts';
import {exactness} from '../relation/aggregate-functions.ts';
import {print} from '../relation/print.ts';
import {inputsOf, type Relation, type Scan} from '../relation/relation.ts';
import {identifier, join, path, raw, sql, type Sql} from '../sql.ts';
import type {Bound} from './bound.ts';
import {canonical} from './canonical.ts';
import {objectsOf, textOf} from './json.ts';
import {planOf} from './plan.ts';
import {readPlan} from './read-plan.ts';

/** Sources with more rows in all are not read for the check. */
const mostRows = 100_000;
/** A join of few rows may still be large; what takes longer is left unchecked. */
const longestMs = 2_000;

/**
 * The net under our reading of plans: the relation, printed and bound again, must be the same relation. Otherwise the query is
 * refreshed fully, which runs the user's text and is right whatever our reading is worth. In the mirror in which it was bound.
 */
export async function boundAgain(session: Session, _: Query, bound: Bound): Promise<Bound> {
  const {reading} = bound;
  if (reading.kind === 'full') return bound;
  const detail = await changed(session, reading.relation, printedIn(session, reading.relation));
  return detail === null ? bound : distrusted(bound, detail);
}

/** The same, and where the sources are small its rows must be those of the user's own text. For creation: it reads the sources. */
export async function roundTrip(session: Session, query: Query, bound: Bound): Promise<Bound> {
  const again = await boundAgain(session, query, bound);
  if (again.reading.kind === 'full') return again;
  const detail = await otherRows(session, query, bound, printedIn(session, again.reading.relation));
  return detail === null ? bound : distrusted(bound, detail);
}

/** The query as one that can only be run as a whole, because our reading of it was found wrong. */
export function distrusted(bound: Bound, detail: string): Bound {
  return {...bound, reading: {kind: 'full', reasons: [{kind: 'round-trip', detail}]}};
}

/** The relation over the mirror's views. */
function printedIn({lake}: Session, relation: Relation): Sql {
  const scan = ({source}: Scan, alias: Sql): Sql => sql`${path(lake.name, source.schema, source.name)} AS ${alias}`;
  return print(relation, {scan, mayBeNull: () => true});
}

async function changed(session: Session, relation: Relation, printed: Sql): Promise<string | null> {
  // Not optimized: pushed down once more, a filter may go where it did not go before, and the same query look different.
  const answer = await planOf(session, printed.text, {optimize: false});
  const [plan] = objectsOf(answer['plans']);
  if (plan === undefined) return `printed, it can not be bound: ${textOf(answer['error_message']).split('\n')[0]}`;
  const again = readPlan(plan);
  if (again.kind === 'full') return 'printed and bound again, it has other operators';
  return canonical(again.relation) === canonical(relation) ? null : 'printed and bound again, it is another relation';
}

async function otherRows(session: Session, query: Query, bound: Bound, printed: Sql): Promise<string | null> {
  if (bound.reading.kind === 'full' || bound.volatileFunctions.length > 0) return null;
  if (isInexact(bound.reading.relation) || (await rowsOf(session, bound.sources)) > mostRows) return null;
  const names = join(bound.outputs.map((_, i) => identifier(`c${i}`)));
  const asWritten = sql`SELECT * FROM (${raw(query.text)}\n) AS written(${names})`;
  const asRead = sql`SELECT * FROM (${printed}) AS read(${names})`;
  const differing = await countWithin(
    session,
    sql`(${asWritten} EXCEPT ALL ${asRead}) UNION ALL (${asRead} EXCEPT ALL ${asWritten})`,
  );
  if (differing === null || differing === 0) return null;
  if (differing !== 'failed') return `printed, it gave ${differing} other rows`;
  // What fails as it is written is the user's to see, when the table is filled.
  return typeof (await countWithin(session, asWritten)) === 'number'
    ? 'printed, it fails on rows on which the query does not'
    : null;
}

async function rowsOf(session: Session, sources: Bound['sources']): Promise<number> {
  if (sources.length === 0) return 0;
  const counts = sources.map(
    ({table}) => sql`(SELECT count(*) FROM ${path(session.lake.name, table.schema, table.name)})`,
  );
  const [row] = await session.rows<{rows: number}>(sql`SELECT ${join(counts, ' + ')} AS rows`);
  return row?.rows ?? 0;
}

/** How many rows a query gives; null when it takes too long, `failed` when the rows themselves make it fail. */
async function countWithin(session: Session, query: Sql): Promise<number | 'failed' | null> {
  const timer = setTimeout(session.interrupt, longestMs);
  try {
    const [row] = await session.rows<{rows: number}>(sql`SELECT count(*) AS rows FROM (${query})`);
    return row?.rows ?? 0;
  } catch (error) {
    if (isLakeError(error, 'interrupted')) return null;
    if (isLakeError(error, 'data')) return 'failed';
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Float sums and the like differ in their last bits from one evaluation to the next. */
function isInexact(relation: Relation): boolean {
  const here = relation.kind === 'aggregate' && relation.aggregates.some(({call}) => exactness(call).kind !== 'exact');
  return here || inputsOf(relation).some(isInexact);
}
