import {expect, test} from 'vitest';
import {compare} from '../../scenarios/compare.ts';
import type {Outcome, Rows} from '../../scenarios/outcome.ts';
import type {Scenario} from '../../scenarios/scenario.ts';
import {generate} from './generate.ts';
import {aPlayground} from './playground.ts';

/** What must hold between two runs, whatever the query means: no oracle is asked. */

const seeds = Array.from({length: 5}, (_, i) => 9001 + i);

test('two small refreshes equal one large', {timeout: 0}, async () => {
  await using playground = await aPlayground();
  for (const {scenario} of seeds.map((seed) => generate(seed))) {
    const [small, large] = [
      await playground.play(scenario),
      await playground.play({...scenario, steps: [scenario.steps.flat()]}),
    ];
    expect({id: scenario.id, difference: difference(lastRows(small), lastRows(large))}).toEqual({
      id: scenario.id,
      difference: null,
    });
  }
});

test('what came and went between two refreshes changes nothing', {timeout: 0}, async () => {
  await using playground = await aPlayground();
  for (const {scenario} of seeds.map((seed) => generate(seed))) {
    const {initial, steps} = await playground.play({...scenario, steps: [toAndFro(scenario)]});
    const [step] = steps;
    expect({id: scenario.id, difference: difference(initial?.rows ?? [], step?.rows ?? [])}).toEqual({
      id: scenario.id,
      difference: null,
    });
  }
});

test('without a change nothing is written', {timeout: 0}, async () => {
  await using playground = await aPlayground();
  for (const {scenario} of seeds.map((seed) => generate(seed))) {
    const {id, steps} = await playground.play({...scenario, steps: [[], []]});
    const seen = steps.map(({action, wrote}) => ({action, wrote}));
    expect({id, seen}).toEqual({id, seen: [nothing, nothing]});
  }
});

const nothing = {action: 'NO_DATA', wrote: false};

/** Every table twice over, emptied, and filled with what it had. */
function toAndFro({setup}: Scenario): string[] {
  return setup.flatMap((statement) => {
    const [, copy, table] = /^CREATE TABLE (copy\d) AS SELECT \* FROM (.*)$/.exec(statement) ?? [];
    if (copy === undefined || table === undefined) return [];
    const fill = `INSERT INTO ${table} SELECT * FROM ${copy}`;
    return [fill, `DELETE FROM ${table}`, fill];
  });
}

function lastRows({initial, steps}: Outcome): Rows {
  return (steps.at(-1) ?? initial)?.rows ?? [];
}

function difference(some: Rows, others: Rows): unknown {
  const isFloat = (others[0] ?? []).map(() => true);
  return compare('', some, others, {isFloat, signsAreOne: true});
}
