import path from 'node:path';
import {afterEach, beforeAll, describe, expect, test, vi} from 'vitest';
import type {Bound} from '../../src/binder/bound.ts';
import type {Scenario} from '../../scenarios/scenario.ts';
import type * as algebra from './algebra.ts';
import {playAlgebra} from './algebra.ts';
import {aBinding} from './binding.ts';
import {allRegressions, scenariosIn} from './files.ts';
import {withOtherHistory} from './generate.ts';
import {livelyScenarios} from './lively.ts';
import {mutations, type Mutation} from './mutations.ts';

/** Of the suite's own scenarios, those that were wrong once first, and those of merging, so many may pass before one must fail. */
const budget = 120;
const histories = 2;
const merged = path.join(import.meta.dirname, '../../scenarios/examples/merged.jsonl');

const played: {readonly scenario: Scenario; readonly bound: Bound}[] = [];
beforeAll(async () => {
  await using binding = await aBinding();
  for (const scenario of allRegressions()) played.push({scenario, bound: await binding.bind(scenario)});
  for (const scenario of scenariosIn(merged)) played.push({scenario, bound: await binding.bind(scenario)});
  for await (const generated of livelyScenarios(1)) {
    if (played.length >= budget) break;
    const bound = await binding.bind(generated.scenario);
    if (bound.reading.kind === 'full') continue;
    for (let i = 0; i < histories; i++) played.push({scenario: withOtherHistory(generated, i).scenario, bound});
  }
}, 600_000);

afterEach(() => {
  vi.resetModules();
});

test('as the rules are, nothing is caught', {timeout: 240_000}, async () => {
  expect(await firstCaught(playAlgebra)).toBeNull();
});

describe('a rule made wrong on purpose is caught', () => {
  test.each(mutations)('$title', {timeout: 240_000}, async (mutation) => {
    const caught = await firstCaught(await spoiled(mutation));
    expect(caught).not.toBeNull();
  });
});

/** The suite over modules of its own, of which one is spoiled. */
async function spoiled({module, wrong}: Mutation): Promise<typeof playAlgebra> {
  vi.doMock(module, async (original) => {
    const actual = await original();
    // `wrong` belongs to this module: see `mutation`.
    return {...(actual as object), ...wrong(actual as never)};
  });
  vi.resetModules();
  try {
    return ((await import('./algebra.ts')) as typeof algebra).playAlgebra;
  } finally {
    vi.doUnmock(module);
  }
}

async function firstCaught(play: typeof playAlgebra): Promise<string | null> {
  for (const {scenario, bound} of played) {
    const wrong = await play(scenario, bound);
    if (wrong !== null) return `${scenario.id}: ${wrong}`;
  }
  return null;
}
