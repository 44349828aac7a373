import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {exitCodes} from '../src/cli/exit-code.ts';
import {standardPriority, type Options} from '../src/definition/definition.ts';
import {optionTexts} from '../src/definition/options.ts';
import {parseStatement} from '../src/definition/parse.ts';
import {configVariables} from '../src/variables.ts';

/** Tables in the docs that repeat what the code says. */

test('docs/configuration.md describes every variable, and no other', () => {
  const documented = rowsOf('configuration.md').filter(([name]) => name?.startsWith('`FRESHET_'));
  expect(documented).toEqual(
    configVariables.map(({name, description, standard}) => [`\`${name}\``, description, standard]),
  );
});

test.each(['README.md', 'docs/configuration.md', 'docs/operations.md', 'docs/cli.md', 'docs/alerts.md'])(
  '%s names variables that there are',
  (file) => {
    const text = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
    const known = configVariables.map(({name}) => name);
    expect((text.match(/\bFRESHET_[A-Z][A-Z_]*\b/g) ?? []).filter((name) => !known.includes(name))).toEqual([]);
  },
);

test('docs/sql.md describes every option, and no other, with its default and an example', () => {
  const documented = rowsOf('sql.md').filter(([name]) => name?.startsWith('[`'));
  const section = (name: string): string => `[\`${name}\`](#${name.toLowerCase()})`;
  expect(documented.map(([name, value]) => [name, value])).toEqual(
    optionTexts.map(({name, expected}) => [section(name), expected]),
  );
  for (const [i, [, , standard = '']] of documented.entries()) {
    const name = optionTexts[i]?.name ?? '';
    expect(textOf('sql.md')).toMatch(new RegExp(`\n### ${name}\n(?:(?!\n#)[^])*\n\`\`\`sql\n[^\`]*${name} = `));
    if (standard.startsWith('`')) expect(optionsOf(`${name} = ${standard.slice(1, -1)}`), name).toEqual(optionsOf(''));
  }
});

function optionsOf(text: string): Options | null {
  const statement = parseStatement(`create dynamic table t target_lag = '1 day' ${text} as select 1`);
  return statement.kind === 'create' ? {priority: standardPriority, ...statement.options} : null;
}

test('docs/cli.md has the exit status of every error code, and no other', () => {
  const documented = rowsOf('cli.md').filter(([status, code]) => /^\d+$/.test(status ?? '') && code !== '');
  expect(Object.fromEntries(documented.map(([status, code]) => [code?.slice(1, -1), Number(status)]))).toEqual(
    exitCodes,
  );
});

/** The cells of every row of every table in the file. */
function rowsOf(file: string): string[][] {
  const rows = textOf(file)
    .split('\n')
    .filter((line) => line.startsWith('|'));
  return rows.map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

function textOf(file: string): string {
  return readFileSync(new URL(`../docs/${file}`, import.meta.url), 'utf8');
}
