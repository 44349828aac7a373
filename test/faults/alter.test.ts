import {expect, test} from 'vitest';
import type {DynamicTableDetails} from '../../src/client.ts';
import {definitionId} from '../../src/temporal-names.ts';
import {Draws} from '../differential/draws.ts';
import {aFaultWorker, type FaultWorker} from '../support/fault-worker.ts';
import {aStack} from '../support/stack.ts';
import {isLong, seed} from './length.ts';
import {whatIsLeft} from './pair.ts';

/*
 * ALTER and CREATE OR REPLACE by workers that are killed right before each of their statements, with `FAULTS=long` alone: the statement
 * is finished by the next worker, or, when its run was terminated too, by the same statement once more.
 */

const query = 'select k, count(*) as n from base group by k';
const other = 'select k, sum(v) as s, avg(v) as mean from base group by k';

type Change = {
  readonly name: string;
  /** There and back again, each with the table's name before it and after. */
  readonly ways: readonly {readonly statement: string; readonly from: string; readonly to: string}[];
  readonly shows: (details: DynamicTableDetails) => unknown;
  readonly expected: readonly unknown[];
};

const changes: readonly Change[] = [
  {
    name: 'SET',
    ways: [
      {statement: `alter dynamic table t set target_lag = '3 days', comment = 'new'`, from: 't', to: 't'},
      {statement: `alter dynamic table t set target_lag = '1 day', comment = 'old'`, from: 't', to: 't'},
    ],
    shows: ({targetLag, comment, schedule}) => [targetLag, comment, schedule?.note?.includes(targetLag)],
    expected: [
      ['3 days', 'new', true],
      ['1 day', 'old', true],
    ],
  },
  {
    name: 'RENAME',
    ways: [
      {statement: 'alter dynamic table t rename to u', from: 't', to: 'u'},
      {statement: 'alter dynamic table u rename to t', from: 'u', to: 't'},
    ],
    shows: ({table, schedule}) => [table, schedule?.paused],
    expected: [
      ['main.u', false],
      ['main.t', false],
    ],
  },
  {
    name: 'REPLACE',
    ways: [
      {
        statement: `create or replace dynamic table t target_lag = '3 days' refresh_mode = full as ${other}`,
        from: 't',
        to: 't',
      },
      {
        statement: `create or replace dynamic table t target_lag = '1 day' refresh_mode = full as ${query}`,
        from: 't',
        to: 't',
      },
    ],
    shows: ({query: now, columns, schedule}) => [now, columns.length, schedule?.note?.includes('3 days')],
    expected: [
      [other, 3, true],
      [query, 2, false],
    ],
  },
];

test.runIf(isLong).for(changes)(
  '$name killed before any of its statements is finished, never half',
  {timeout: 3_600_000},
  async ({name, ways, shows, expected}) => {
    await using stack = await aStack({withWorker: false});
    await stack.run('create table base as select i % 5 as k, i as v from range(100) as t(i)');
    let worker = aFaultWorker(stack);
    let standby = aFaultWorker(stack);
    worker.begin();
    const draws = Draws.seeded(seed);
    let turn = 0;

    const expectWhole = async (why: string) => {
      const way = ways[(turn + 1) % 2];
      const table = way?.from ?? '';
      expect(shows(await stack.client.describe(table)), why).toEqual(expected[turn % 2]);
      expect(await whatIsLeft(stack), why).toMatchObject({
        lake: [`freshet_state.main.${table}`, 'main.base', `main.${table}`],
        metadata: [{name: `main.${table}`, state: 'active'}],
        schedules: [`main.${table}`],
      });
      await stack.run('insert into base values (7, 1)');
      expect(await (await stack.client.refresh(table)).result(), why).toMatchObject({outcome: 'refreshed'});
      expect(await stack.client.verify(table), why).toMatchObject({verdict: 'equal'});
    };

    try {
      await stack.client.create(`create dynamic table t target_lag = '1 day' refresh_mode = full as ${query}`);
      turn = 1;
      let count = 0;
      for (const {statement} of ways) {
        worker.watch();
        await stack.client.execute(statement);
        count = Math.max(count, worker.lastStatement()?.number ?? 0);
      }
      let kills = 0;
      for (let n = 1; n <= count; n++) {
        turn++;
        const {statement, from} = ways[turn % 2] ?? {statement: '', from: ''};
        const run = () => stack.client.execute(statement).catch((error: unknown) => error);
        const isTerminated = draws.chance(50);
        let isDead = false;
        const current: FaultWorker = worker;
        void current.ended.then(() => (isDead = true));
        current.dieBefore(n);
        const outcome = run();
        await Promise.race([current.ended, outcome]);
        if (isDead) {
          kills++;
          if (isTerminated)
            await stack.temporal.workflow
              .getHandle(definitionId(stack.prefix, `main.${from}`))
              .terminate()
              .catch(() => undefined);
          worker = standby;
          worker.begin();
          standby = aFaultWorker(stack);
          await outcome;
          // It may have come as far as to be ended by this one's first look.
          if (isTerminated) await run();
        } else {
          current.watch();
          await outcome;
        }
        await expectWhole(`${n} of ${count}: ${isTerminated ? 'terminated' : 'killed'}, seed ${seed}`);
      }
      console.log(`${name} survived ${kills} kills before one of ${count} statements, seed ${seed}`);
    } finally {
      await worker.kill();
      await standby.kill();
    }
  },
);
