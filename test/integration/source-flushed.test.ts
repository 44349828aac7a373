import {expect, test} from 'vitest';
import {isLakeError} from '../../src/lake/errors.ts';
import {aDynamicTable} from '../support/dynamic-table.ts';
import {aLake} from '../support/lake.ts';

/**
 * An instance that has read a table after an ALTER knows in which tables of the catalog its inlined rows are. A flush by somebody else
 * takes these away, and DuckLake dies of it: whoever attaches the lake anew reads it.
 */
test('a source that is altered, read and then flushed breaks an instance, and the next one goes on', async () => {
  await using lake = await aLake();
  await lake.run('create table orders (id integer, region varchar)');
  await lake.run(`insert into orders values (1, 'eu'), (2, 'us')`);
  const kept = await aDynamicTable(lake, 'kept', 'select id, region from orders');
  await kept.refresh();
  await lake.run('alter table orders add column more integer');
  await lake.run(`insert into orders values (3, 'eu', 1)`);
  await kept.refresh();
  await lake.run(`call ducklake_flush_inlined_data('lake', table_name => 'orders')`);
  await lake.run(`insert into orders values (4, 'eu', 1)`);

  const actions: string[] = [];
  // As often as Temporal would: look-up, compute and bind have instances of their own.
  while (actions.at(-1) !== 'INCREMENTAL' && actions.length < 5) {
    actions.push(
      await kept.refresh().then(
        ({action}) => action,
        (error: unknown) => (isLakeError(error, 'fatal') ? 'broken' : String(error)),
      ),
    );
  }
  expect(new Set(actions)).toEqual(new Set(['broken', 'INCREMENTAL']));
  expect(await kept.differences()).toEqual([]);
});
