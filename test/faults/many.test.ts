import {expect, test} from 'vitest';
import {aFaultWorker} from '../support/fault-worker.ts';
import {aStack, type Stack} from '../support/stack.ts';
import {isLong} from './length.ts';

/** Thirty by hand; what CI has time for otherwise. */
const names = Array.from({length: isLong ? 30 : 6}, (_, i) => `t${i}`);

test(`${names.length} tables refreshed at once by three workers, one of them killed: nothing lost, nothing done twice`, async () => {
  await using stack = await aStack({withWorker: false});
  await stack.run('create table base as select i as id, i % 1000 as k, 1 as v from range(20000) as t(i)');
  await using first = aFaultWorker(stack);
  await using second = aFaultWorker(stack);
  await using third = aFaultWorker(stack);
  first.begin();
  await Promise.all(names.map((name, i) => stack.create(name, `select k, v from base where id % ${i + 2} <> 1`)));

  const alone = isLong ? await refreshAll(stack) : null;
  second.begin();
  third.begin();
  const together = isLong ? await refreshAll(stack) : null;
  const held = second.holdBefore('^publishRefresh: COMMIT');
  const refreshed = refreshAll(stack);
  await held;
  await second.kill();
  const milliseconds = await refreshed;
  if (alone !== null && together !== null)
    console.log(
      `${names.length} tables refreshed at once: ${alone} ms by one worker, ${together} by three, ${milliseconds} by three of whom one is killed`,
    );

  const rounds = isLong ? 3 : 1;
  const left = await stack.rows(
    `select table_name from duckdb_tables() where database_name = 'lake' and schema_name = 'main'`,
  );
  expect(new Set(left.flat())).toEqual(new Set(['base', ...names]));
  for (const [i, name] of names.entries()) {
    const query = `select k, v from base where id % ${i + 2} <> 1`;
    expect(
      await stack.rows(`(from ${name} except all (${query})) union all ((${query}) except all from ${name})`),
      name,
    ).toEqual([]);
    const history = await stack.client.history(name);
    // A run that chose its version before another one published finds nothing to do, and may move the state row alone.
    const idle = history.filter(({action}) => action === 'NO_DATA').length;
    const [state] = await stack.rows(
      `select contents, generation between contents and contents + ${idle} from freshet_state."main.${name}"`,
    );
    expect(state, name).toEqual([1 + rounds, true]);
    expect(
      history.map(({action}) => action).filter((action) => action !== 'NO_DATA'),
      name,
    ).toEqual([...Array.from({length: rounds}, () => 'INCREMENTAL'), 'INITIAL']);
  }
}, 900_000);

/** A change of every table, and two refreshes of each, all at once; how long these took. */
async function refreshAll(stack: Stack): Promise<number> {
  await stack.run('insert into base select (select max(id) from base) + i, i % 1000, 2 from range(1, 200) as t(i)');
  const started = performance.now();
  await Promise.all([...names, ...names].map(async (name) => await (await stack.client.refresh(name)).result()));
  return Math.round(performance.now() - started);
}
