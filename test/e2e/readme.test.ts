import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {runStatements, showResult} from '../../src/cli/commands/sql.ts';
import {withServers, type Freshet} from '../../src/cli/connect.ts';
import {errorText} from '../../src/cli/error-text.ts';
import {StatementError} from '../../src/cli/statement-error.ts';
import {parseStatement, splitStatements} from '../../src/definition/parse.ts';
import type {AlterChange, Statement} from '../../src/definition/statement.ts';
import {withStack} from '../../src/dev/stack-file.ts';
import {aDevFolder, type DevFolder} from '../support/freshet.ts';

let dev: DevFolder;
beforeAll(async () => {
  dev = await aDevFolder();
});
afterAll(() => dev[Symbol.asyncDispose]());

test("README's first dynamic table works word for word", async () => {
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
    const blocks = ['## In a worker of your own', '## From a program'].flatMap((heading) => blocksOf('ts', heading));
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

test('docs/sql.md shows every statement, and each answers what stands below it', async () => {
  const examples = examplesOf(readFileSync('docs/sql.md', 'utf8'));
  const shown = examples.flatMap(({statements}) => splitStatements(statements).map(({text}) => formOf(text)));
  expect(shown).toEqual(expect.arrayContaining(forms));
  await withServers(await withStack({}, dev.folder), async (freshet) => {
    for (const {statements, answer} of examples)
      expect(await answerTo(freshet, statements), statements).toMatch(likeness(answer));
  });
});

type Form = Exclude<Statement['kind'], 'alter'> | `alter ${AlterChange['kind']}`;

/** Every form of every statement: the types see to it that none is missing. */
const forms = Object.keys({
  ...{create: 0, drop: 0, show: 0, describe: 0, sql: 0},
  ...{'alter set': 0, 'alter rename': 0, 'alter refresh': 0, 'alter suspend': 0, 'alter resume': 0},
} satisfies Record<Form, 0>);

/** Null: one that is shown for its error. */
function formOf(text: string): Form | null {
  try {
    const statement = parseStatement(text);
    return statement.kind === 'alter' ? `alter ${statement.change.kind}` : statement.kind;
  } catch {
    return null;
  }
}

type Example = {readonly statements: string; readonly answer: string};

/** Statements, and what `freshet sql` prints when they are run. */
function examplesOf(page: string): Example[] {
  const blocks = [...page.matchAll(/^( *)```(sql|text)\n(.*?)^ *```$/gms)].map(
    ([, margin = '', language, block = '']) => ({
      language,
      block: block.replaceAll(new RegExp(`^${margin}`, 'gm'), ''),
    }),
  );
  return blocks.flatMap(({language, block}, i) => {
    if (language !== 'sql') return [];
    const next = blocks[i + 1];
    expect(next?.language, block).toBe('text');
    return [{statements: block, answer: next?.block ?? ''}];
  });
}

/** What `freshet sql` prints. */
async function answerTo(freshet: Freshet, statements: string): Promise<string> {
  let said = '';
  const silent = {show: () => undefined, end: () => undefined};
  try {
    await runStatements(freshet, statements, false, silent, (result) => (said += `${showResult(result)}\n`));
  } catch (error) {
    if (!(error instanceof StatementError)) throw error;
    said += `${errorText(error.error, error.source)}\n`;
  }
  return said;
}

/** The answer, with anything in place of each `…`, and columns as wide as that makes them. */
function likeness(answer: string): RegExp {
  const pattern = answer.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('…', '[^]*?');
  return new RegExp(`^${answer.includes('…') ? pattern.replaceAll(/ +/g, ' +') : pattern}$`);
}

/** The blocks of the section that are marked as being in the language. */
function blocksOf(language: string, heading: string): string[] {
  const readme = readFileSync('README.md', 'utf8');
  const section = readme.split(/^(?=## )/m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block = '']) => block);
}
