import type {Person} from './person.ts';
import {wayNames} from './ways.ts';
import type {View} from './views.ts';

/**
 * The tables of a view, kept in whatever way, that differ from their query run afresh, as multisets and both ways; none: all are right.
 * A step's query reads the steps before it where the first way keeps them, which have been judged by then.
 */
export async function wrongTables(judge: Person, {steps}: View): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const {name, query} of steps) {
    await judge.run(`CREATE OR REPLACE TEMP TABLE expected AS ${query('incremental')}`);
    for (const schema of wayNames) {
      const [counts] = await judge.rows(difference('expected', `${schema}.${name}`));
      const [missing, unexpected] = (counts ?? []).map(Number);
      if (missing !== 0 || unexpected !== 0) {
        wrong.push(`${schema}.${name}: ${missing} rows are missing, ${unexpected} should not be there`);
      }
    }
  }
  return wrong;
}

/** How many rows of one table the other lacks, and the other way round. A fourth of what EXCEPT ALL takes, both ways. */
function difference(one: string, other: string): string {
  return `SELECT coalesce(sum(copies) FILTER (copies > 0), 0), coalesce(-sum(copies) FILTER (copies < 0), 0)
FROM (
  SELECT COLUMNS(* EXCLUDE side), sum(side) AS copies
  FROM (SELECT *, 1 AS side FROM ${one} UNION ALL SELECT *, -1 FROM ${other})
  GROUP BY ALL
  HAVING sum(side) <> 0
)`;
}
