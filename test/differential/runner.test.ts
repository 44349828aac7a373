import {execFile} from 'node:child_process';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {Outcome} from '../../scenarios/outcome.ts';

const root = path.join(import.meta.dirname, '../..');
const orders = ['CREATE TABLE orders (id INTEGER, region VARCHAR)', `INSERT INTO orders VALUES (1, 'eu'), (2, NULL)`];

const lines = [
  JSON.stringify({
    id: 'first',
    setup: orders,
    view: 'SELECT id FROM orders',
    steps: [['DELETE FROM orders WHERE id = 1']],
  }),
  '{"id": "broken", ',
  JSON.stringify({id: 'no list', setup: 'CREATE TABLE t (a INTEGER)', view: 'SELECT 1'}),
  JSON.stringify({id: 4, setup: orders, view: 'SELECT nothing FROM orders', steps: [[]]}),
  JSON.stringify({
    id: 'failing step',
    setup: orders,
    view: 'SELECT id FROM orders',
    steps: [['DELETE FROM nowhere'], []],
  }),
  JSON.stringify({
    id: 'last',
    note: 'for others',
    setup: orders,
    view: 'SELECT region, count(*) AS n FROM orders GROUP BY region',
    steps: [[`INSERT INTO orders VALUES (3, 'eu')`], []],
  }),
];

describe('the scenario runner', () => {
  let folder: string;
  let outcomes: Outcome[];
  let closingLine: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'freshet-runner-'));
    const [file, out] = ['in.jsonl', 'out.jsonl'].map((name) => path.join(folder, name)) as [string, string];
    await writeFile(file, `${lines.join('\n')}\n`);
    const {stdout} = await promisify(execFile)(
      'npm',
      ['run', '-s', 'scenarios', '--', file, '--rows', '--jobs', '2', '--out', out],
      {
        cwd: root,
      },
    );
    closingLine = stdout.trim();
    outcomes = (await readFile(out, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Outcome); // Written by it.
  }, 300_000);
  afterAll(() => rm(folder, {recursive: true, force: true}));

  test('answers every line, in order, whatever is wrong with others', () => {
    expect(outcomes.map(({id}) => id)).toEqual(['first', null, 'no list', 4, 'failing step', 'last']);
    expect(closingLine).toMatch(/^6 scenarios in \d+ s: 3 incremental, 0 full, 3 with an error$/);
  });

  test('says what is wrong with a line', () => {
    expect(outcomes.map(({error}) => error)).toEqual([
      null,
      expect.stringMatching(/^line 2: .*JSON/),
      'line 3: syntax: The scenario is not well formed: setup should be a list.',
      expect.stringMatching(/^unknown_column: .*nothing/),
      null,
      null,
    ]);
  });

  test('shows rows as sorted texts, and how each step was refreshed', () => {
    expect(outcomes[5]).toEqual({
      id: 'last',
      mode: 'INCREMENTAL',
      reason: null,
      error: null,
      initial: {
        rows: [
          ['eu', '1'],
          [null, '1'],
        ],
      },
      steps: [
        {
          action: 'INCREMENTAL',
          reason: null,
          recomputed: 'none',
          wrote: true,
          rows: [
            ['eu', '2'],
            [null, '1'],
          ],
        },
        {
          action: 'NO_DATA',
          reason: null,
          recomputed: 'none',
          wrote: false,
          rows: [
            ['eu', '2'],
            [null, '1'],
          ],
        },
      ],
    });
  });

  test('goes on after a statement that fails', () => {
    expect(outcomes[4]?.steps).toMatchObject([
      {action: 'NO_DATA', error: expect.stringContaining('nowhere')},
      {action: 'NO_DATA', rows: [['1'], ['2']]},
    ]);
  });
});
