import {randomUUID} from 'node:crypto';
import {afterAll, beforeAll, expect, test} from 'vitest';
import type {Schedules} from '../../src/activities/deps.ts';
import {recordFailure} from '../../src/activities/record-refresh.ts';
import {resumeTable} from '../../src/activities/resume.ts';
import {suspendTable} from '../../src/activities/suspend.ts';
import {allTables, mostFailuresInARow, renameTable, suspendedBelow} from '../../src/metadata/dynamic-table.ts';
import {someDeps, type TestDeps} from '../support/deps.ts';

/** `a` and `b` over a base table, `ab` over both, `top` over `ab`. */
let made: TestDeps;
beforeAll(async () => {
  made = await someDeps();
  await made.run('create table base as select 1 as v');
  for (const [name, query] of [
    ['a', 'select v from base'],
    ['b', 'select v from base'],
    ['ab', 'select a.v from a join b on a.v = b.v'],
    ['top', 'select v from ab'],
  ])
    await made.create(`create dynamic table ${name} target_lag = '1 day' as ${query}`);
  await made.publish('main.top');
  for (const name of ['main.a', 'main.b', 'main.ab', 'main.top']) await made.choose(name);
});
afterAll(() => made[Symbol.asyncDispose]());

const suspend = (table: string, runId = randomUUID()) => suspendTable(made.deps, {table: `main.${table}`, runId});
const resume = (table: string) => resumeTable(made.deps, {table: `main.${table}`, taskQueue: 'none'});

/** Those whose ticks do nothing. */
async function standing(): Promise<readonly string[]> {
  const tick = {trigger: 'schedule', scheduledTime: new Date().toISOString()} as const;
  const found = [];
  for (const name of ['a', 'ab', 'b', 'top'])
    if ((await made.choose(`main.${name}`, tick)).kind === 'suspended') found.push(name);
  return found;
}

const unpause = (table: string) =>
  made.deps.schedules.resume({table, taskQueue: 'none', targetLag: {kind: 'downstream'}, mode: 'full'});

const paused = () => [...made.paused.keys()].map((name) => name.replace('main.', '')).toSorted();

test('SUSPEND stops the tables above too, and RESUME has them go on', async () => {
  expect(await suspend('A')).toEqual({table: 'main.a', outcome: 'suspended', readers: ['main.ab', 'main.top']});
  expect(await standing()).toEqual(['a', 'ab', 'top']);
  expect(paused()).toEqual(['a', 'ab', 'top']);
  expect(await suspend('a')).toMatchObject({outcome: 'unchanged'});
  expect(await resume('a')).toEqual({
    ...{table: 'main.a', outcome: 'resumed', readers: ['main.ab', 'main.top'], suspendedUpstream: null},
  });
  expect(await standing()).toEqual([]);
  expect(paused()).toEqual([]);
});

test('RESUME leaves what was suspended by hand, and what is above it', async () => {
  await suspend('ab');
  await suspend('a');
  expect(await resume('a')).toMatchObject({outcome: 'resumed', readers: []});
  expect(await standing()).toEqual(['ab', 'top']);
  expect(paused()).toEqual(['ab', 'top']);
  expect(await resume('ab')).toMatchObject({outcome: 'resumed', readers: ['main.top']});
  expect(paused()).toEqual([]);
});

test('what is above two suspended tables goes on with the second', async () => {
  await suspend('a');
  await suspend('b');
  expect(await resume('a')).toMatchObject({outcome: 'resumed', readers: []});
  expect(await standing()).toEqual(['ab', 'b', 'top']);
  // Somebody has unpaused it in Temporal.
  await unpause('main.ab');
  expect(await resume('ab')).toMatchObject({outcome: 'upstream_suspended', suspendedUpstream: 'main.b'});
  expect(await standing()).toEqual(['ab', 'b', 'top']);
  expect(paused()).toEqual(['ab', 'b', 'top']);
  expect(await resume('b')).toMatchObject({readers: ['main.ab', 'main.top']});
  expect(await standing()).toEqual([]);
  expect(paused()).toEqual([]);
});

test('a table that is resumed below a suspended one is no longer suspended itself, and goes on with that', async () => {
  await suspend('ab');
  await suspend('a');
  expect(await resume('ab')).toMatchObject({outcome: 'upstream_suspended', suspendedUpstream: 'main.a'});
  expect(await standing()).toEqual(['a', 'ab', 'top']);
  expect(await resume('a')).toMatchObject({readers: ['main.ab', 'main.top']});
  expect(await standing()).toEqual([]);
  expect(paused()).toEqual([]);
});

test('a schedule that somebody has paused in Temporal stays so', async () => {
  await made.deps.schedules.pause('main.top', 'backfilling');
  await suspend('a');
  await resume('a');
  expect([...made.paused]).toEqual([['main.top', 'backfilling']]);
  expect(await resume('top')).toMatchObject({outcome: 'resumed'});
});

test('SUSPEND outweighs failures, and failures do not outweigh it', async () => {
  const fail = () =>
    recordFailure(made.deps, {
      ...{table: 'main.a', trigger: 'schedule', code: 'data_error', dataVersion: null, message: 'no'},
      ...{startedAt: new Date().toISOString(), run: {workflowId: 'run', runId: randomUUID()}},
    });
  for (let i = 0; i < mostFailuresInARow; i++) await fail();
  expect(await standing()).toEqual(['a']);
  await suspend('a');
  await fail();
  expect(await standing()).toEqual(['a', 'ab', 'top']);
  expect((await allTables(made.deps.metadata))[0]).toMatchObject({name: 'main.a', suspension: {kind: 'user'}});
  expect(await resume('a')).toMatchObject({outcome: 'resumed'});
  expect(await standing()).toEqual([]);
});

test('a suspend that was cut off stops all ticks all the same, and is completed by its next attempt', async () => {
  const cutOff = {...made.deps, schedules: {...made.deps.schedules, pause: () => Promise.reject(new Error('killed'))}};
  const runId = randomUUID();
  await expect(suspendTable(cutOff, {table: 'main.a', runId})).rejects.toThrow('killed');
  expect(await standing()).toEqual(['a', 'ab', 'top']);
  expect(paused()).toEqual([]);
  expect(await suspend('a', runId)).toMatchObject({outcome: 'suspended'});
  expect(paused()).toEqual(['a', 'ab', 'top']);
});

test('a table that is made over a suspended one stands still with it', async () => {
  await made.create(`create dynamic table late target_lag = '1 day' as select v from a`);
  expect(suspendedBelow('main.late', await allTables(made.deps.metadata))).toBe('main.a');
  expect(paused()).toContain('late');
  expect(await resume('a')).toMatchObject({readers: ['main.ab', 'main.late', 'main.top']});
  expect(paused()).toEqual([]);
});

test('a table that is renamed meanwhile is suspended under its new name, and gets no schedule under the former', async () => {
  const table = await made.create(`create dynamic table moving target_lag = '1 day' as select 1 as v`);
  const {metadata} = made.deps;
  const row = async () => (await allTables(metadata)).find(({name}) => name.startsWith('main.mov'));
  const {incarnation} = (await row()) ?? {incarnation: ''};
  const move = (to: string) => renameTable(metadata, 'main.moving', incarnation, to);
  const renaming = new Proxy(metadata, {
    get: (target, key) =>
      key === 'query'
        ? async (text: string, values: unknown[]) => {
            if (text.includes('set suspension')) await move('main.moved');
            return await target.query(text, values);
          }
        : (Reflect.get(target, key) as unknown),
  });
  const suspended = await suspendTable({...made.deps, metadata: renaming}, {table, runId: randomUUID()});
  expect(suspended).toMatchObject({table: 'main.moved', outcome: 'suspended'});
  expect(await row()).toMatchObject({name: 'main.moved', suspension: {kind: 'user'}});

  await renameTable(metadata, 'main.moved', incarnation, table);
  const schedules: Schedules = {
    ...made.deps.schedules,
    resume: async (request) => {
      await move('main.moved');
      await made.deps.schedules.create(request);
      return true;
    },
  };
  made.scheduled.delete(table);
  await resumeTable({...made.deps, schedules}, {table, taskQueue: 'none'});
  expect(await row()).toMatchObject({name: 'main.moved', suspension: null});
  expect(made.scheduled).not.toContain(table);
});
