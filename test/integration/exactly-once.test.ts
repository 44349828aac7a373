import {randomUUID} from 'node:crypto';
import {expect, test} from 'vitest';
import {checkCardinality} from '../../src/activities/check-cardinality.ts';
import {extractChanges} from '../../src/activities/extract-changes.ts';
import {lookUpSnapshots} from '../../src/activities/look-up-snapshots.ts';
import {publishRefresh} from '../../src/activities/publish-refresh.ts';
import type {Published} from '../../src/refresh/messages.ts';
import {stagingFolder, removeStaging} from '../../src/lake/staging.ts';
import {aDynamicTable} from '../support/dynamic-table.ts';
import type {TestTable} from '../support/dynamic-table.ts';
import {aLake} from '../support/lake.ts';
import type {TestLake} from '../support/lake.ts';

/** A projection: it shows a change that was applied twice, where replaced groups would hide it. */
async function aCopy(): Promise<{lake: TestLake & AsyncDisposable; copy: TestTable}> {
  const lake = await aLake();
  await lake.run('CREATE TABLE orders (id INTEGER, amount INTEGER)');
  await lake.run('INSERT INTO orders SELECT range, range % 5 FROM range(100)');
  const copy = await aDynamicTable(lake, 'copy', 'SELECT amount FROM orders');
  await copy.refresh();
  await lake.run('INSERT INTO orders VALUES (200, 1), (201, 1)');
  await lake.run('DELETE FROM orders WHERE id = 7');
  return {lake, copy};
}

/** A refresh up to its publication, which can then be done any number of times. */
async function prepared(
  {lake}: TestLake,
  copy: TestTable,
  refreshId = randomUUID(),
): Promise<() => Promise<Published>> {
  const apply = await copy.apply();
  const lookUp = await lookUpSnapshots({lake}, {apply});
  if (lookUp.kind !== 'refresh') throw new Error(lookUp.kind);
  const extraction = await extractChanges({lake}, {apply, refreshId, lookUp});
  const decision = await checkCardinality({lookUp, extraction});
  return () => publishRefresh({lake}, {apply, refreshId, lookUp, extraction, decision});
}

test('two applies of one refresh at once: one publishes, the other is told so', async () => {
  const {lake, copy} = await aCopy();
  await using _ = lake;
  const [one, other] = [await prepared(lake, copy), await prepared(lake, copy)];
  const kinds = (await Promise.all([one(), other()])).map(({kind}) => kind);
  expect(kinds.toSorted()).toEqual(['lost', 'published']);
  expect(await copy.differences()).toEqual([]);
});

test('an activity that runs again after its commit finds its own work done', async () => {
  const {lake, copy} = await aCopy();
  await using _ = lake;
  const publish = await prepared(lake, copy);
  const first = await publish();
  const again = await publish();
  expect(again).toMatchObject({kind: 'published'});
  if (first.kind !== 'published' || again.kind !== 'published') throw new Error('not published');
  expect(again.publication).toEqual(first.publication);
  expect(await copy.differences()).toEqual([]);
});

test('one activity that runs twice at once takes the change in once', async () => {
  const {lake, copy} = await aCopy();
  await using _ = lake;
  const publish = await prepared(lake, copy);
  await Promise.all([publish(), publish()]);
  expect(await copy.differences()).toEqual([]);
});

test('a zombie that publishes after its successor changes nothing', async () => {
  const {lake, copy} = await aCopy();
  await using _ = lake;
  const zombie = await prepared(lake, copy);
  await copy.refresh();
  await lake.run('INSERT INTO orders VALUES (300, 2)');
  await copy.refresh();
  expect(await zombie()).toEqual({kind: 'lost'});
  expect(await copy.differences()).toEqual([]);
});

test('staged files that are gone are extracted again', async () => {
  const {lake, copy} = await aCopy();
  await using _ = lake;
  const refreshId = randomUUID();
  const publish = await prepared(lake, copy, refreshId);
  await removeStaging(stagingFolder(lake.lake, {schema: 'main', name: 'copy'}, refreshId));
  expect(await publish()).toMatchObject({kind: 'extract-again'});
  expect(await copy.refresh()).toMatchObject({action: 'INCREMENTAL'});
  expect(await copy.differences()).toEqual([]);
});

test('deletes dated back between extraction and publication are extracted again', async () => {
  const lake = await aLake();
  await using _ = lake;
  await lake.run(`CALL lake.set_option('data_inlining_row_limit', 0)`);
  await lake.run('CREATE TABLE orders (id INTEGER, amount INTEGER)');
  await lake.run('INSERT INTO orders SELECT range, range % 5 FROM range(100)');
  await lake.run('DELETE FROM orders WHERE id = 0');
  const copy = await aDynamicTable(lake, 'copy', 'SELECT amount FROM orders');
  await copy.refresh();
  const late = await lake.outsider();
  await lake.run('INSERT INTO orders VALUES (200, 1)');
  await late.run('BEGIN');
  await late.run('DELETE FROM orders WHERE id BETWEEN 10 AND 19');
  await lake.run('CREATE TABLE elsewhere (n INTEGER)');
  const publish = await prepared(lake, copy);
  await late.run('COMMIT');
  expect(await publish()).toMatchObject({kind: 'extract-again'});
  await copy.refresh();
  expect(await copy.differences()).toEqual([]);
});
