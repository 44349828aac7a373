import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {aDevFolder} from '../support/freshet.ts';

test("README's first dynamic table works word for word", async () => {
  await using dev = await aDevFolder();
  const blocks = blocksOf('sh', '## The first dynamic table');
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

test("README's TypeScript has the types of the package", async () => {
  // Inside the project, where the package and Temporal's are found by their names.
  const folder = await mkdtemp(path.join(import.meta.dirname, 'readme-'));
  try {
    const blocks = blocksOf('ts', '## From TypeScript');
    expect(blocks.length).toBe(2);
    await Promise.all(blocks.map((block, i) => writeFile(path.join(folder, `${i}.ts`), block)));
    await writeFile(
      path.join(folder, 'tsconfig.json'),
      JSON.stringify({extends: '../../../tsconfig.json', include: ['.']}),
    );
    const tsc = path.resolve('node_modules/typescript/bin/tsc');
    await expect(promisify(execFile)(process.execPath, [tsc, '-p', folder])).resolves.toMatchObject({stdout: ''});
  } finally {
    await rm(folder, {recursive: true});
  }
});

/** The blocks of the section that are marked as being in the language. */
function blocksOf(language: string, heading: string): string[] {
  const readme = readFileSync('README.md', 'utf8');
  const section = readme.split(/^(?=## )/m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block = '']) => block);
}
