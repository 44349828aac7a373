import {expect, test} from 'vitest';
import {allRegressions, keep} from './files.ts';
import {isRefusal, verdict} from './oracle.ts';
import {livelyScenarios} from './lively.ts';
import {aPlayground} from './playground.ts';
import {isAlike, shrink} from './shrink.ts';

const firstSeed = Number(process.env['FRESHET_SEED'] ?? 1);
const cases = Number(process.env['FRESHET_CASES'] ?? 20);

test('what was wrong once stays right', {timeout: 0}, async () => {
  await using playground = await aPlayground();
  for (const scenario of allRegressions()) {
    const {id} = scenario;
    expect({id, wrong: verdict(scenario, await playground.play(scenario))}).toEqual({id, wrong: null});
  }
});

test('after every step of every generated scenario the table is its query', {timeout: 0}, async () => {
  await using playground = await aPlayground();
  const counts = {incremental: 0, full: 0, refused: 0, steps: 0, moved: 0};
  const found: string[] = [];

  const scenarios = livelyScenarios(firstSeed);
  for (let i = 0; i < cases; i++) {
    const {value: generated} = await scenarios.next();
    const outcome = await playground.play(generated.scenario);
    const wrong = verdict(generated.scenario, outcome);
    if (wrong !== null) {
      found.push(`${generated.scenario.id}: ${wrong}`);
      console.log(found.at(-1));
      keep(
        await shrink(
          generated,
          async (scenario) => isAlike(verdict(scenario, await playground.play(scenario)), wrong),
          100,
        ),
      );
    }
    if (isRefusal(outcome)) counts.refused++;
    else if (outcome.mode === 'FULL') counts.full++;
    else counts.incremental++;
    if (outcome.mode !== 'INCREMENTAL') continue;
    counts.steps += outcome.steps.length;
    counts.moved += outcome.steps.filter(({action}) => action === 'INCREMENTAL').length;
  }

  console.log(`${cases} scenarios from seed ${firstSeed}:`, JSON.stringify(counts));
  expect(found).toEqual([]);
  // Otherwise nothing was tested.
  expect(counts.incremental).toBeGreaterThan(0.7 * cases);
  expect(counts.moved).toBeGreaterThan(0.4 * counts.steps);
});
