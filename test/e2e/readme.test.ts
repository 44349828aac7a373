import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {aDevFolder} from '../support/freshet.ts';

test("README's first dynamic table works word for word", async () => {
  await using dev = await aDevFolder();
  const blocks = shellBlocks('## The first dynamic table');
  expect(blocks.length).toBeGreaterThan(3);
  let all = '';
  for (const block of blocks) {
    const {status, out, err} = await dev.shell(`set -e\n${block}`);
    expect(status, `${block}\n${err}`).toBe(0);
    all += out;
  }
  expect(all).toContain('Created main.totals');
  // 1,000 more than the 400 that customer 7 had.
  expect(all).toMatch(/customer 7\s+101\s+1\d{3}\b/);
  expect(all).toContain('equal to its query');
  expect(all).toContain('Dropped main.totals');
});

/** The blocks of the section that are marked as shell. */
function shellBlocks(heading: string): string[] {
  const readme = readFileSync('README.md', 'utf8');
  const section = readme.split(/^(?=## )/m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
}
