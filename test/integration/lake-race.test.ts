import {execFileSync, fork, type ChildProcess} from 'node:child_process';
import {rmSync} from 'node:fs';
import path from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {defaultSettings} from '../../src/definition/definition.ts';
import {readState} from '../../src/lake/state.ts';
import {aLake} from '../support/lake.ts';
import type {Race, Word} from '../support/racer.ts';
import {create} from '../support/target.ts';

const table = {schema: 'main', name: 't'};
const generations = 30;
const folder = path.resolve(`build.race-${process.pid}`);

/** A process of Node runs JavaScript. */
beforeAll(() => {
  const options = ['--noEmit', 'false', '--rootDir', '.', '--outDir', folder, '--ignoreConfig'];
  const compiler = 'node_modules/typescript/bin/tsc';
  const language = [
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--rewriteRelativeImportExtensions',
    '--skipLibCheck',
    '--types',
    'node',
  ];
  execFileSync(process.execPath, [compiler, 'test/support/racer.ts', ...options, ...language], {stdio: 'inherit'});
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

test('two processes that publish at once, killed again and again while they commit, apply each refresh once', async () => {
  await using lake = await aLake();
  await lake.run(`CREATE TABLE other (k INTEGER)`);
  await lake.lake.compute(defaultSettings, (session) => create(session, table));
  const words = {committing: 0, committed: 0, beaten: 0};
  let kills = 0;
  let writing: Promise<unknown> = Promise.resolve();

  const race = async (name: string): Promise<void> => {
    for (;;) {
      const child = start({options: lake.options, table, name, generations});
      child.on('message', (word: Word) => {
        words[word]++;
        // Somebody else commits at the same moment, elsewhere.
        if (word === 'committing') writing = writing.then(() => lake.run(`INSERT INTO other VALUES (1)`));
        if (word === 'committing' && words.committing % 6 === 0 && kills < 4) {
          kills++;
          // Lands before, in or after the COMMIT.
          setTimeout(() => child.kill('SIGKILL'), kills * 3);
        }
      });
      const {code, signal} = await end(child);
      if (signal !== 'SIGKILL') {
        expect(code).toBe(0);
        return;
      }
    }
  };
  await Promise.all([race('one'), race('two')]);
  await writing;

  expect(kills).toBe(4);
  expect(words.committed).toBeGreaterThan(generations / 2);
  expect(words.beaten).toBeGreaterThan(0);
  const state = await lake.lake.look((session) => readState(session, table));
  expect(state).toMatchObject({generation: generations, rows: generations});
  const rows = await lake.rows(
    `SELECT count(*), count(DISTINCT k), min(k), max(k) FROM (SELECT k FROM t WHERE v = 'row')`,
  );
  expect(rows).toEqual([[generations, generations, 1, generations]]);
}, 180_000);

function start(race: Race): ChildProcess {
  const child = fork(path.join(folder, 'test/support/racer.js'), {stdio: ['ignore', 'inherit', 'inherit', 'ipc']});
  child.send(race);
  return child;
}

function end(child: ChildProcess): Promise<{code: number | null; signal: NodeJS.Signals | null}> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve({code, signal})));
}
