import {afterEach, expect, test, vi} from 'vitest';
import {finished} from '../../src/cli/commands/refresh.ts';
import type {RefreshResult} from '../../src/refresh/messages.ts';
import type {RefreshProgress} from '../../src/workflows/messages.ts';

afterEach(() => vi.restoreAllMocks());

test('on a pipe the phases stand in their order, done at the end, in whatever order they are heard of', async () => {
  let written = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((written += String(text)), true));
  const heard = ['choose', 'done', 'apply', 'look-up', 'apply', 'record', 'apply'] as const;
  const result: RefreshResult = {table: 'main.t', outcome: 'joined', dataVersion: 7, publication: null, refresh: null};
  async function* phases(): AsyncGenerator<RefreshProgress> {
    for (const phase of heard) yield {phase, details: [], apply: null};
  }
  await expect(finished({phases, result: () => Promise.resolve(result)}, false)).resolves.toBe(result);
  expect(written.split('\n')).toEqual([
    ...['choose', 'apply', 'look up', 'record', 'done'].map((phase) => `Refreshing: ${phase} …`),
    '',
  ]);
});
