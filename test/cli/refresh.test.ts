import {expect, test} from 'vitest';
import {finished} from '../../src/cli/commands/refresh.ts';
import type {RefreshResult} from '../../src/refresh/messages.ts';
import type {RefreshProgress} from '../../src/workflows/messages.ts';

test('the phases are shown in their order, done at the end, in whatever order they are heard of', async () => {
  const shown: string[] = [];
  const heard = ['choose', 'done', 'apply', 'look-up', 'apply', 'record', 'apply'] as const;
  const result: RefreshResult = {table: 'main.t', outcome: 'joined', dataVersion: 7, publication: null, refresh: null};
  async function* phases(): AsyncGenerator<RefreshProgress> {
    for (const phase of heard) yield {phase, details: [], apply: null};
  }
  const show = (text: string) => void shown.push(text);
  await expect(finished({phases, result: () => Promise.resolve(result)}, show)).resolves.toBe(result);
  expect(shown).toEqual(['choose', 'apply', 'look up', 'record', 'done'].map((phase) => `Refreshing: ${phase}`));
});
