import {afterEach, describe, expect, test, vi} from 'vitest';
import type * as play from '../../scenarios/play.ts';
import {generate} from './generate.ts';
import {mutations, type Mutation} from './mutations.ts';
import {verdict} from './oracle.ts';
import {aPlayground} from './playground.ts';

/** So many scenarios of the suite's own may pass before one must fail. */
const budget = 40;

afterEach(() => {
  vi.doUnmock('../../src/delta/scan.ts');
  vi.resetModules();
});

describe('a rule made wrong on purpose is caught', () => {
  test.each(mutations)('$title', {timeout: 240_000}, async (mutation) => {
    const caught = await firstFailure(mutation);
    console.log(mutation.title, '→', caught);
    expect(caught).not.toBeNull();
  });
});

async function firstFailure({module, wrong}: Mutation): Promise<string | null> {
  vi.doMock(module, async (original) => {
    const actual = await original();
    // `wrong` belongs to this module: see `mutation`.
    return {...(actual as object), ...wrong(actual as never)};
  });
  vi.resetModules();
  try {
    const {openPlayground} = await vi.importActual<typeof play>('../../scenarios/play.ts');
    await using playground = await aPlayground(openPlayground);
    for (let seed = 1; seed <= budget; seed++) {
      const {scenario} = generate(seed);
      const wrongness = verdict(scenario, await playground.play(scenario));
      if (wrongness !== null) return `seed ${seed}: ${wrongness}`;
    }
    return null;
  } finally {
    vi.doUnmock(module);
  }
}
