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
      const [counts] = await judge.rows(
        `SELECT (SELECT count(*) FROM (FROM expected EXCEPT ALL FROM ${schema}.${name})),
  (SELECT count(*) FROM (FROM ${schema}.${name} EXCEPT ALL FROM expected))`,
      );
      const [missing, unexpected] = (counts ?? []).map(Number);
      if (missing !== 0 || unexpected !== 0) {
        wrong.push(`${schema}.${name}: ${missing} rows are missing, ${unexpected} should not be there`);
      }
    }
  }
  return wrong;
}
