import type {Scenario} from '../../scenarios/scenario.ts';
import {regenerate, type Choices, type Generated} from './generate.ts';

type Fails = (scenario: Scenario) => Promise<boolean>;

/**
 * A small scenario that still fails: first made from fewer and smaller choices, then left with fewer statements. `tries` limits
 * how often it is played.
 */
export async function shrink(found: Generated, fails: Fails, tries: number): Promise<Scenario> {
  const budget = {left: tries};
  const small = await withFewerChoices(found, fails, budget);
  return await withFewerStatements(small.scenario, fails, budget);
}

type Budget = {left: number};

async function stillFails(scenario: Scenario, fails: Fails, budget: Budget): Promise<boolean> {
  if (budget.left <= 0) return false;
  budget.left--;
  return await fails(scenario);
}

async function withFewerChoices(found: Generated, fails: Fails, budget: Budget): Promise<Generated> {
  let best = found;
  for (const stream of ['history', 'query', 'schema'] as const) {
    for (const size of [32, 8, 2, 1]) {
      for (let end = best.choices[stream].length; end > 0; end -= size) {
        const start = Math.max(0, end - size);
        best = (await smaller(best, cut(best.choices, stream, start, end), fails, budget)) ?? best;
      }
    }
    for (let i = 0; i < best.choices[stream].length; i++) {
      best = (await smaller(best, zeroed(best.choices, stream, i), fails, budget)) ?? best;
    }
  }
  return best;
}

/** The scenario of such choices, if it is another one, no larger, and fails. */
async function smaller(best: Generated, choices: Choices, fails: Fails, budget: Budget): Promise<Generated | null> {
  const candidate = regenerate(String(best.scenario.id), choices, best.length);
  const [now, before] = [JSON.stringify(candidate.scenario), JSON.stringify(best.scenario)];
  if (now === before || now.length > before.length) return null;
  return (await stillFails(candidate.scenario, fails, budget)) ? candidate : null;
}

function cut(choices: Choices, stream: keyof Choices, start: number, end: number): Choices {
  return {...choices, [stream]: choices[stream].filter((_, i) => i < start || i >= end)};
}

function zeroed(choices: Choices, stream: keyof Choices, at: number): Choices {
  return {...choices, [stream]: choices[stream].map((choice, i) => (i === at ? 0 : choice))};
}

async function withFewerStatements(scenario: Scenario, fails: Fails, budget: Budget): Promise<Scenario> {
  let best = scenario;
  for (const candidates of [withoutSteps, withoutStatements, withoutSetup]) {
    for (let i = candidates(best).length - 1; i >= 0; i--) {
      const candidate = candidates(best)[i];
      if (candidate !== undefined && (await stillFails(candidate, fails, budget))) best = candidate;
    }
  }
  return best;
}

function withoutSteps(scenario: Scenario): Scenario[] {
  return scenario.steps.map((_, i) => ({...scenario, steps: scenario.steps.toSpliced(i, 1)}));
}

function withoutStatements(scenario: Scenario): Scenario[] {
  return scenario.steps.flatMap((step, i) =>
    step.map((_, j) => ({...scenario, steps: scenario.steps.with(i, step.toSpliced(j, 1))})),
  );
}

function withoutSetup(scenario: Scenario): Scenario[] {
  return scenario.setup.map((_, i) => ({...scenario, setup: scenario.setup.toSpliced(i, 1)}));
}

/** Whether a smaller scenario is wrong in the way that the large one was, and not just broken. */
export function isAlike(wrong: string | null, other: string): boolean {
  return wrong !== null && kindOf(wrong) === kindOf(other);
}

function kindOf(wrong: string): string {
  return wrong.replace(/\d+/g, '').slice(0, 25);
}
