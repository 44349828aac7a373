import {expect, test} from 'vitest';
import {defaultSettings} from '../../src/definition/definition.ts';
import {openLake} from '../../src/lake/lake.ts';
import {isReadable, TargetUnreadable} from '../../src/lake/publication.ts';
import {readState} from '../../src/lake/state.ts';
import {createSuccessor, takePlace} from '../../src/lake/target.ts';
import {aLake} from '../support/lake.ts';
import {aLossyProxy} from '../support/lossy-proxy.ts';
import {create, publishStatements} from '../support/target.ts';

const table = {schema: 'main', name: 't'};

test('a commit whose answer is lost is found by the state row, and its lost files are noticed and replaced', async () => {
  await using lake = await aLake();
  await using proxy = await aLossyProxy(lake.options.catalog);
  const ours = openLake({...lake.options, catalog: proxy.url});
  await ours.compute(defaultSettings, async (session) => {
    const state = await create(session, table);
    const statements = [`INSERT INTO freshet_lake.main.t VALUES (1, 'a')`];
    const failure = await publishStatements(session, {
      table,
      state,
      generation: 0,
      refreshId: 'lost',
      statements,
      beforeCommit: () => proxy.lose('answer'),
    }).catch((error: unknown) => error);
    expect(proxy.lost()).toBe(1);
    // PostgreSQL has the commit; DuckLake thought it had failed and deleted the files that it refers to.
    expect(failure).toBeInstanceOf(TargetUnreadable);
    expect((failure as TargetUnreadable).publication).toMatchObject({generation: 1, rows: 1});
    await expect(lake.rows(`SELECT * FROM t`)).rejects.toThrow('No such file');

    const columns = [{name: 'k', type: 'INTEGER'}];
    const successor = await createSuccessor(session, {table, columns, comment: null}, state.incarnation);
    await publishStatements(session, {
      table,
      state,
      generation: 1,
      statements: [`INSERT INTO freshet_lake.main."${successor.name}" VALUES (1)`],
      beforeCommit: () => takePlace(session, table, successor),
    });
    expect(await isReadable(session, table)).toBe(true);
  });
  ours.close();
  expect(await lake.rows(`SELECT * FROM t`)).toEqual([[1]]);
});

test('a state row published alone survives the loss of its answer', async () => {
  await using lake = await aLake();
  await using proxy = await aLossyProxy(lake.options.catalog);
  const ours = openLake({...lake.options, catalog: proxy.url});
  await ours.compute(defaultSettings, async (session) => {
    const state = await create(session, table);
    const publication = await publishStatements(session, {
      table,
      state,
      generation: 0,
      refreshId: 'lost',
      statements: [],
      beforeCommit: () => proxy.lose('answer'),
    });
    expect(proxy.lost()).toBe(1);
    expect(publication).toMatchObject({generation: 1, snapshot: await lake.snapshot()});
    expect(await readState(session, table)).toMatchObject({refreshId: 'lost'});
  });
  ours.close();
});

test('a commit that never arrived is an error to be tried again, and the same work goes through then', async () => {
  await using lake = await aLake();
  await using proxy = await aLossyProxy(lake.options.catalog);
  const ours = openLake({...lake.options, catalog: proxy.url});
  await ours.compute(defaultSettings, async (session) => {
    const state = await create(session, table);
    const publishing = {
      table,
      state,
      generation: 0,
      refreshId: 'twice',
      statements: [`INSERT INTO freshet_lake.main.t VALUES (1, 'a')`],
    };
    const failed = publishStatements(session, {...publishing, beforeCommit: () => proxy.lose('request')});
    await expect(failed).rejects.toMatchObject({kind: 'connection'});
    expect(proxy.lost()).toBe(1);
    expect(await publishStatements(session, publishing)).toMatchObject({generation: 1, rows: 1});
  });
  ours.close();
  expect(await lake.rows(`SELECT * FROM t`)).toEqual([[1, 'a']]);
});
