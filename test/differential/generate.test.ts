import {DuckDBInstance} from '@duckdb/node-api';
import {expect, test} from 'vitest';
import type {Scenario} from '../../scenarios/scenario.ts';
import {generate, regenerate} from './generate.ts';

test('a seed is always the same scenario', () => {
  expect(generate(7)).toEqual(generate(7));
});

test('the choices of a scenario make it again', () => {
  const {scenario, choices, length} = generate(11, 'long');
  expect(regenerate(scenario.id as string, choices, length).scenario).toEqual(scenario);
});

test('almost every scenario is valid SQL, and most have rows that move', async () => {
  const failures: string[] = [];
  let lively = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const {scenario} = generate(seed);
    try {
      if (await isLively(scenario)) lively++;
    } catch (error) {
      failures.push(`${scenario.id}: ${String(error)}\n${scenario.view}`);
    }
  }
  expect(failures.slice(0, 10)).toEqual([]);
  expect(lively).toBeGreaterThan(45);
});

/** Whether what the query gives differs between two steps. */
async function isLively({setup, steps, view}: Scenario): Promise<boolean> {
  const instance = await DuckDBInstance.create(':memory:');
  try {
    const connection = await instance.connect();
    const seen = new Set<string>();
    for (const statements of [setup, ...steps]) {
      for (const statement of statements) if (!statement.startsWith('CALL')) await connection.run(statement);
      seen.add(
        JSON.stringify(
          (await connection.runAndReadAll(`SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (${view}) ORDER BY ALL`)).getRows(),
        ),
      );
    }
    return seen.size > 1;
  } finally {
    instance.closeSync();
  }
}
