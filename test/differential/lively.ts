import {DuckDBInstance, type DuckDBConnection} from '@duckdb/node-api';
import type {Scenario} from '../../scenarios/scenario.ts';
import {generate, type Generated, type Length} from './generate.ts';

/** The share of steps that change what the query answers, from which a scenario is lively. */
const livelyFrom = 0.5;
/** Of scenarios that are not, one of so many: what stays empty, and what changes nothing, must be right too. */
const oneQuietOf = 8;

/**
 * The scenarios of one seed after another that are worth playing on a lake. Most of what is drawn joins little with little and
 * answers nothing for ever; a lake of its own takes seconds, and tables in memory tell it in some milliseconds.
 */
export async function* livelyScenarios(firstSeed: number, length?: Length): AsyncGenerator<Generated, never> {
  for (let seed = firstSeed; ; seed++) {
    const generated = generate(seed, length);
    if (seed % oneQuietOf === 0 || (await liveliness(generated.scenario)) >= livelyFrom) yield generated;
  }
}

/** How many of the steps change the query's answer, as a share; 0 for a query that fails, which must be refused. */
export async function liveliness({setup, view, steps}: Scenario): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:', {threads: '1', autoload_known_extensions: 'false'});
  const connection = await instance.connect();
  try {
    // What only a lake has fails here, and changes no rows there.
    const happens = async (statements: readonly string[]): Promise<void> => {
      for (const statement of statements) await connection.run(statement).catch(() => undefined);
    };
    await happens([`ATTACH ':memory:' AS lake`, 'USE lake', ...setup]);
    let before = await digest(connection, view);
    let changed = 0;
    for (const step of steps) {
      await happens(step);
      const after = await digest(connection, view);
      if (after !== before) changed++;
      before = after;
    }
    return changed / steps.length;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Of the rows of a query as a multiset. */
async function digest(connection: DuckDBConnection, query: string): Promise<string> {
  const sum = `SELECT count(*) || ' ' || coalesce(sum(hash(answer)), 0) FROM (${query}) AS answer`;
  const read = await connection.runAndReadAll(sum).catch(() => null);
  return String(read?.getRows()[0]);
}
