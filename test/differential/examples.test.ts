import {readdirSync} from 'node:fs';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {readScenario} from '../../scenarios/scenario.ts';
import {linesOf} from './files.ts';
import {aPlayground} from './playground.ts';

/** What an example says about itself, beside what the runner reads. */
type Example = {
  readonly id: string;
  readonly shows: string;
  readonly expect: {
    readonly mode?: string;
    /** Parts of the reason why it is FULL, and of the error. */
    readonly reason?: string;
    readonly error?: string;
    readonly actions?: readonly string[];
    readonly recomputed?: readonly string[];
  };
};

const folder = path.join(import.meta.dirname, '../../scenarios/examples');

describe.each(readdirSync(folder))('%s', (file) => {
  test('holds what its examples say', async () => {
    await using playground = await aPlayground();
    for (const line of linesOf(path.join(folder, file))) {
      const {id, expect: expected} = JSON.parse(line) as Example; // A file of ours; the runner's own keys are checked.
      const {mode, reason, error, initial, steps} = await playground.play(readScenario(line));
      const seen = {
        id,
        error,
        mode,
        reason,
        unequal: [initial, ...steps].map((contents) => contents?.difference).filter((difference) => difference),
        actions: steps.map(({action}) => action),
        recomputed: steps.map(({recomputed}) => recomputed),
      };
      expect.soft(seen).toEqual({
        id,
        error: expected.error === undefined ? null : expect.stringContaining(expected.error),
        mode: expected.mode ?? null,
        reason: expected.mode === 'FULL' ? expect.stringContaining(expected.reason ?? '') : null,
        unequal: [],
        actions: expected.actions ?? expect.anything(),
        recomputed: expected.recomputed ?? expect.anything(),
      });
    }
  });
});
