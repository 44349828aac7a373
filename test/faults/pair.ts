import {readdir} from 'node:fs/promises';
import {expect} from 'vitest';
import {Draws} from '../differential/draws.ts';
import {removeOldStaging} from '../../src/lake/staging.ts';
import {allTables} from '../../src/metadata/dynamic-table.ts';
import {scheduleId} from '../../src/temporal-names.ts';
import {aStack, type Stack} from '../support/stack.ts';

/**
 * Two dynamic tables, one over the other: a projection, which shows a change that was applied twice, and totals of it. One refresh
 * of the totals is a refresh of each.
 */
export type Pair = AsyncDisposable & {
  readonly stack: Stack;
  /** Makes the tables, once a worker is there. */
  readonly create: () => Promise<void>;
  /** Changes the base table so that both tables change. */
  readonly change: () => Promise<void>;
  /**
   * After a refresh of the totals: both tables have taken in every change once, by a refresh of its own, and nothing is left over.
   * The history has each of them once, and failures only if runs may have failed on the way.
   */
  readonly expectWhole: (given?: {readonly mayFail?: boolean}) => Promise<void>;
};

const queries = {
  'main.copies': 'select k, v from base',
  'main.totals': 'select k, count(*) as n, sum(v) as s from copies group by k',
};
const tables = Object.keys(queries);

export async function aPair(seed: number, given: Parameters<typeof aStack>[0] = {}): Promise<Pair> {
  const stack = await aStack({withWorker: false, ...given});
  const draws = Draws.seeded(seed);
  await stack.run('create table base as select i as id, i % 2000 as k, i % 7 as v from range(4000) as t(i)');
  let changes = 0;

  return {
    stack,
    create: async () => {
      for (const [table, query] of Object.entries(queries))
        await stack.create(table.slice('main.'.length), query, 'cardinality_threshold = 1');
    },
    change: async () => {
      changes++;
      const first = 10_000 + changes * 1000;
      await stack.run(
        `insert into base select ${first} + i, (${first} + i) % 2000, 1 from range(${1 + draws.below(100)}) as t(i)`,
      );
      await stack.run(`delete from base where id % 397 = ${draws.below(397)}`);
    },
    expectWhole: async ({mayFail = false} = {}) => {
      for (const [table, query] of Object.entries(queries)) {
        expect(await differences(stack, table, query), table).toEqual([]);
        const [state] = await stack.rows(
          `select generation, contents, refresh_id, "rows" from freshet_state."${table}"`,
        );
        const [rows] = await stack.rows(`select count(*) from ${table}`);
        const {rows: entries} = await stack.metadata.query<{
          id: string;
          action: string;
          reason: string | null;
          error: string | null;
        }>(
          `select refresh_id as id, action, reason, error from freshet.refresh
           where dynamic_table = $1 and action is distinct from 'NO_DATA' order by refresh.id desc`,
          [table],
        );
        const refreshes = entries.filter(({error}) => !mayFail || error === null);
        expect(state, table).toEqual([changes + 1, changes + 1, refreshes[0]?.id, rows?.[0]]);
        expect(new Set(refreshes.map(({id}) => id)).size, table).toBe(refreshes.length);
        expect(
          refreshes.map(({action, reason, error}) => error ?? (action === 'FULL' ? `FULL: ${reason}` : action)),
          table,
        ).toEqual([...Array.from({length: changes}, () => 'INCREMENTAL'), 'INITIAL']);
      }
      // Runs that ended badly leave to the worker what they have staged.
      if (mayFail) await removeOldStaging(stack.lake, new Date());
      // From the second change on the counts behind the sums are kept.
      const groups = changes < 2 ? [] : ['freshet_state.main.totals-groups'];
      expect(await whatIsLeft(stack)).toEqual({
        staged: [],
        lake: ['freshet_state.main.copies', 'freshet_state.main.totals', ...groups, 'main.base', ...tables],
        metadata: tables.map((name) => ({name, state: 'active'})),
        schedules: tables,
      });
    },
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

async function differences(stack: Stack, table: string, query: string): Promise<unknown[][]> {
  return await stack.rows(`(from ${table} except all (${query})) union all ((${query}) except all from ${table})`);
}

/** What there is in every place where something could be left over. */
export async function whatIsLeft({options, rows, metadata, temporal, prefix}: Stack): Promise<Record<string, unknown>> {
  const staged = await readdir(options.stagingPath, {recursive: true, withFileTypes: true}).catch(() => []);
  const inLake = await rows(
    `select schema_name || '.' || table_name from duckdb_tables() where database_name = 'lake' order by 1`,
  );
  const known = await allTables(metadata);
  const schedules = [];
  for (const {name} of known) {
    const {action} = await temporal.schedule.getHandle(scheduleId(prefix, name)).describe();
    schedules.push((action.args as [{table: string}])[0].table);
  }
  return {
    staged: staged.filter((entry) => entry.isFile()).map(({name}) => name),
    lake: inLake.flat(),
    metadata: known.map(({name, state}) => ({name, state})),
    schedules,
  };
}
