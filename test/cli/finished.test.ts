import {expect, test} from 'vitest';
import {finished} from '../../src/cli/finished.ts';
import {progressText} from '../../src/cli/show/progress.ts';
import type {Progress} from '../../src/client.ts';
import type {RefreshResult} from '../../src/refresh/messages.ts';

function progress(phase: Progress['phase'], more: Partial<Progress> = {}): Progress {
  return {table: 'main.t', phase, details: [], apply: null, statement: null, upstream: null, ...more};
}

test('the phases are shown in their order, done at the end, in whatever order they are heard of', async () => {
  const shown: string[] = [];
  const heard = ['choose', 'done', 'apply', 'look-up', 'apply', 'record', 'apply'] as const;
  const result: RefreshResult = {table: 'main.t', outcome: 'joined', dataVersion: 7, publication: null, refresh: null};
  async function* phases(): AsyncGenerator<Progress> {
    for (const phase of heard) yield progress(phase);
  }
  const show = (text: string) => void shown.push(text);
  await expect(finished({phases, result: () => Promise.resolve(result)}, show)).resolves.toBe(result);
  expect(shown).toEqual(['choose', 'apply', 'look up', 'record', 'done'].map((phase) => `Refreshing: ${phase}`));
});

test('a statement shows how far it is, that of an upstream table too', () => {
  const recompute = {label: 'recompute', seconds: 12, percent: 41, rows: 1_230_000, totalRows: 3_000_000};
  const share = 'recompute 41 % (1,230,000 of about 3,000,000 rows), 12.0 s';
  const publish = progress('publish', {statement: recompute});
  expect(progressText(publish)).toBe(`publish: ${share}`);
  expect(progressText(progress('upstreams', {upstream: publish}))).toBe(`upstreams: main.t, publish: ${share}`);
  const unknown = {label: null, seconds: 3, percent: null, rows: null, totalRows: null};
  expect(progressText(progress('extract', {statement: unknown}))).toBe('extract: a statement, 3.0 s');
  expect(progressText(progress('record'))).toBe('record');
});
