import type {WorkflowFailedError} from '@temporalio/client';
import {expect, test} from 'vitest';
import {contentsKept, FreshetError} from '../../src/errors.ts';
import {errorOfFailure, failureOfError} from '../../src/failure.ts';
import {aFakeLake} from '../support/fake-lake.ts';
import {aWorker} from '../support/worker.ts';

test('a table is made, filled, and then scheduled', async () => {
  const lake = aFakeLake({'main.a': ['main.base']});
  await using worker = await aWorker(lake.activities);
  expect(await worker.execute('createDynamicTable', {statement: 'main.a'})).toMatchObject({
    table: 'main.a',
    outcome: 'created',
    refresh: {outcome: 'refreshed'},
  });
  expect(lake.steps).toEqual(['reserveTable', 'createTarget', 'finishCreate']);
  expect(lake.applied).toMatchObject([{table: 'main.a', trigger: 'create'}]);
});

test('a create whose first refresh fails is undone, and fails with what went wrong, and that there is no table', async () => {
  const lake = aFakeLake({'main.a': ['main.base']});
  const failure = new FreshetError('data_error', 'Division by zero', {hint: `${contentsKept} Mend the data.`});
  lake.onPublish = () => Promise.reject(failureOfError(failure));
  await using worker = await aWorker(lake.activities);
  const error = await worker.execute('createDynamicTable', {statement: 'main.a'}).catch((caught: unknown) => caught);
  const {cause} = error as WorkflowFailedError;
  expect(cause).toMatchObject({type: 'data_error', message: 'Division by zero'});
  expect(errorOfFailure(cause).hint).toBe('Nothing was created. Mend the data.');
  expect(lake.steps).toEqual(['reserveTable', 'createTarget', 'removeTable']);
});

test('a replacement is undone when its first refresh fails, and says that the table is what it was', async () => {
  const lake = aFakeLake({'main.a': ['main.base']});
  await using worker = await aWorker(lake.activities);
  const replace = () => worker.execute('createDynamicTable', {statement: 'or replace main.a'});
  expect(await replace()).toMatchObject({outcome: 'replaced', refresh: {outcome: 'refreshed'}});
  expect(lake.steps).toEqual(['replaceTable']);
  lake.newest += 1;
  const failure = new FreshetError('data_error', 'Division by zero', {hint: `${contentsKept} Mend the data.`});
  lake.onPublish = () => Promise.reject(failureOfError(failure));
  const error = await replace().catch((caught: unknown) => caught);
  expect(errorOfFailure((error as WorkflowFailedError).cause)).toMatchObject({
    ...{code: 'data_error', hint: 'The table is what it was. Mend the data.'},
  });
  expect(lake.steps).toEqual(['replaceTable', 'replaceTable', 'restoreTable']);
});

test('a dry run makes nothing', async () => {
  const lake = aFakeLake({});
  await using worker = await aWorker(lake.activities);
  expect(await worker.execute('createDynamicTable', {statement: 'main.a', dryRun: true})).toMatchObject({
    outcome: 'dry-run',
    reasons: ['for a test'],
    refresh: null,
  });
  expect(lake.steps).toEqual([]);
});

test('a drop removes what it began to', async () => {
  const lake = aFakeLake({});
  await using worker = await aWorker(lake.activities);
  expect(await worker.execute('dropDynamicTable', {table: 'a'})).toEqual({table: 'main.a', outcome: 'dropped'});
  expect(lake.steps).toEqual(['removeTable']);
});
