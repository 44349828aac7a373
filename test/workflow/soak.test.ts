import {fork} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import {expect, test, vi} from 'vitest';
import {readCatalogUrl} from '../../src/lake/catalog-url.ts';
import {filesOf} from '../../src/lake/maintenance.ts';
import {aStack, type Stack} from '../support/stack.ts';

vi.setConfig({testTimeout: 0});

/**
 * One table refreshed over and over, each time with as many changed rows, while another process commits to the lake all the time:
 * its refreshes stay as fast as they were, and its rows right. `npm run soak` does it for as many as an hour has.
 */
const refreshes = Number(process.env['FRESHET_REFRESHES'] ?? 12);
const isLong = refreshes >= 100;
const size = isLong
  ? {rows: 1_000_000, changed: 1_000, checkedEach: 10, maintainedEach: null}
  : {rows: 20_000, changed: 200, checkedEach: 4, maintainedEach: 5};
/** So many at the beginning are compared with as many at the end. */
const compared = 50;

test('a table that is refreshed for long stays fast and right', async () => {
  await using stack = await aStack();
  // Its own commits have as much patience beside the neighbour's as ours.
  for (const setting of ['max_retry_count = 200', 'retry_wait_ms = 10', 'retry_backoff = 1.0']) {
    await stack.run(`set global ducklake_${setting}`);
  }
  await stack.run(
    `create table orders as select i as id, i % 97 as region, i % 1000 as amount from range(${size.rows}) as t(i)`,
  );
  await stack.create('kept', 'select id, region, amount + 1 as more from orders where amount >= 0');
  await using neighbour = await aNeighbour(stack);
  const took: number[] = [];
  for (let i = 1; i <= refreshes; i++) {
    await change(stack, i);
    const started = performance.now();
    const {refresh} = await (await stack.client.refresh('kept')).result();
    took.push(performance.now() - started);
    expect(refresh).toMatchObject({action: 'INCREMENTAL', rows: size.rows});
    if (size.maintainedEach !== null && i % size.maintainedEach === 0) {
      expect(await stack.client.maintain('kept')).toMatchObject({outcome: 'maintained'});
    }
    if (i % size.checkedEach === 0) await check(stack);
    if (i % compared === 0) console.log(await report(stack, i, took.slice(-compared)));
  }
  expect(neighbour.commits()).toBeGreaterThan(refreshes);
  const actions = (await stack.client.history('kept', {limit: 10_000})).map(({action}) => action);
  expect(new Set(actions)).toEqual(new Set(['INCREMENTAL', 'INITIAL']));
  if (!isLong) return;
  const [first, last] = [median(took.slice(0, compared)), median(took.slice(-compared))];
  console.log(
    `first ${compared}: ${first} ms, last ${compared}: ${last} ms, ${neighbour.commits()} commits beside them`,
  );
  expect(last).toBeLessThanOrEqual(1.5 * first);
});

/** Rows all over the table, other ones each time. */
async function change({run}: Stack, i: number): Promise<void> {
  const step = Math.floor(size.rows / size.changed);
  await run(`update orders set amount = (amount + ${i}) % 1000 where id % ${step} = ${(i * 7) % step}`);
}

/** The table is its query, and all three counts agree. */
async function check(stack: Stack): Promise<void> {
  expect(await stack.client.verify('kept')).toMatchObject({verdict: 'equal', rows: size.rows});
  const [real] = await stack.rows('select count(*) from (select id from kept)');
  const {rows: catalog} = await stack.metadata.query<{rows: number}>(
    `select sum(f.record_count - coalesce((select sum(d.delete_count) from ducklake_delete_file d
        where d.data_file_id = f.data_file_id and d.end_snapshot is null), 0))::int as rows
      from ducklake_data_file f join ducklake_table t using (table_id)
      where t.table_name = 'kept' and t.end_snapshot is null and f.end_snapshot is null`,
  );
  const [state] = await stack.rows('select "rows" from freshet_state."main.kept"');
  expect([real?.[0], catalog[0]?.rows, state?.[0]]).toEqual([size.rows, size.rows, size.rows]);
}

/** How long the last refreshes took, in all and by phase, and what they left. */
async function report({lake, client}: Stack, i: number, took: readonly number[]): Promise<string> {
  const {data, deletes} = await lake.look((session) => filesOf(session, {schema: 'main', name: 'kept'}));
  const phases = (await client.history('kept', {limit: took.length})).map((entry) => entry.phases);
  const byPhase = ['lookUp', 'extract', 'check', 'publish'].map(
    (phase) => `${phase} ${median(phases.map((each) => each[phase] ?? 0))}`,
  );
  const times = `median of the last ${took.length} ${median(took)} ms (${byPhase.join(', ')})`;
  return `${i} refreshes: ${times}; ${data} files, ${deletes} with deleted rows`;
}

function median(values: readonly number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);
}

/** Another process, which commits to another table of the lake every 50 ms. */
async function aNeighbour({options}: Stack): Promise<{readonly commits: () => number} & AsyncDisposable> {
  const {catalog, dataPath, extensions} = options;
  const child = fork(fileURLToPath(new URL('../support/neighbour.mjs', import.meta.url)));
  let commits = 0;
  child.on('message', () => commits++);
  const attach = readCatalogUrl(catalog)!.attach; // Of our own making.
  child.send({attach, dataPath, extensions: [extensions.postgres_scanner, extensions.ducklake]});
  await once(child, 'message');
  return {
    commits: () => commits,
    [Symbol.asyncDispose]: async () => {
      const gone = once(child, 'exit');
      child.disconnect();
      await gone;
    },
  };
}
