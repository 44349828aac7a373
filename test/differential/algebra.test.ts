import {expect, test} from 'vitest';
import type {Scenario} from '../../scenarios/scenario.ts';
import {playAlgebra} from './algebra.ts';
import {aBinding} from './binding.ts';
import {keep} from './files.ts';
import {withOtherHistory} from './generate.ts';
import {livelyScenarios} from './lively.ts';
import {isAlike, shrink} from './shrink.ts';

const firstSeed = Number(process.env['FRESHET_SEED'] ?? 1);
const queries = Number(process.env['FRESHET_CASES'] ?? 24);
/** Of each query, for binding it costs more than playing it. */
const histories = 4;

test('the rules alone carry a table from each end to the next', {timeout: 0}, async () => {
  await using binding = await aBinding();
  const found: string[] = [];
  let incremental = 0;

  const verdict = async (scenario: Scenario): Promise<string | null> => {
    try {
      const bound = await binding.bind(scenario);
      if (bound.reading.kind === 'relation') incremental++;
      return await playAlgebra(scenario, bound);
    } catch (error) {
      return String(error);
    }
  };
  const scenarios = livelyScenarios(firstSeed);
  for (let n = 0; n < queries; n++) {
    const {value: generated} = await scenarios.next();
    for (let i = 0; i < histories; i++) {
      const played = withOtherHistory(generated, i);
      const wrong = await verdict(played.scenario);
      if (wrong === null) continue;
      found.push(`${played.scenario.id}: ${wrong}`);
      console.log(found.at(-1));
      keep(await shrink(played, async (scenario) => isAlike(await verdict(scenario), wrong), 250));
    }
  }

  console.log(`${queries} queries from seed ${firstSeed}, ${incremental / histories} of them incremental`);
  expect(found).toEqual([]);
  expect(incremental).toBeGreaterThan(0.7 * queries * histories);
});
