import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {exitCodes} from '../src/cli/exit-code.ts';
import {configVariables} from '../src/variables.ts';

/** Tables in the docs that repeat what the code says. */

test('docs/configuration.md describes every variable, and no other', () => {
  const documented = rowsOf('configuration.md').filter(([name]) => name?.startsWith('`FRESHET_'));
  expect(documented).toEqual(
    configVariables.map(({name, description, standard}) => [`\`${name}\``, description, standard]),
  );
});

test('docs/cli.md has the exit status of every error code, and no other', () => {
  const documented = rowsOf('cli.md').filter(([status, code]) => /^\d+$/.test(status ?? '') && code !== '');
  expect(Object.fromEntries(documented.map(([status, code]) => [code?.slice(1, -1), Number(status)]))).toEqual(
    exitCodes,
  );
});

/** The cells of every row of every table in the file. */
function rowsOf(file: string): string[][] {
  const text = readFileSync(new URL(`../docs/${file}`, import.meta.url), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  return rows.map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}
