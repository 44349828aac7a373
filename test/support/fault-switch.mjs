/**
 * Loaded into a real `freshet worker` before anything of ours (`node --import`), by `fault-worker.ts`: sees what it sends to
 * DuckDB, to PostgreSQL and to Temporal's schedules, and kills the process, or holds it, right before one of these statements.
 * Nothing of ours knows of it.
 *
 * Orders come as messages of the parent: `{go: true}` lets a worker on standby begin to poll; `{killAt: n}` counts statements
 * from now on and kills before the n-th; `{holdAt: pattern}` makes the next one that matches wait for `{release: true}`, which is
 * answered by `{held: true}`. Each statement counted is told on standard error, in a line that begins with "statement".
 */
import {writeSync} from 'node:fs';
import {createRequire} from 'node:module';

const require = createRequire(import.meta.url);
const {Context} = require('@temporalio/activity');
const {DuckDBConnection} = require('@duckdb/node-api');
const {ScheduleClient} = require('@temporalio/client');
const {Worker} = require('@temporalio/worker');
const pg = require('pg');

let killAt = null;
let counted = 0;
let holdAt = null;
let go = () => undefined;
let release = () => undefined;
const isAllowed = new Promise((resolve) => (go = resolve));

process.on('message', (order) => {
  if (order.go) go();
  if (order.release) release();
  if (order.killAt !== undefined) [killAt, counted] = [order.killAt, 0];
  if (order.holdAt !== undefined) holdAt = new RegExp(order.holdAt);
});
process.channel?.unref();
// The test that started it is gone.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

/** Null, or the promise to wait for. */
function meet(statement) {
  const what = `${activity()}: ${statement.replaceAll(/\s+/g, ' ').slice(0, 60)}`;
  if (killAt !== null) {
    counted++;
    // Written at once, unlike what goes through a stream: the next line may be the last.
    writeSync(2, `statement ${counted} ${what}\n`);
    if (counted === killAt) process.kill(process.pid, 'SIGKILL');
  }
  if (!holdAt?.test(what)) return null;
  holdAt = null;
  process.send({held: true});
  return new Promise((resolve) => (release = resolve));
}

function activity() {
  try {
    return Context.current().info.activityType;
  } catch {
    return 'between';
  }
}

/** Puts `wrapped` in the place of a method; it gets the method, bound, and what was given. */
function around(object, name, wrapped) {
  const original = object[name];
  object[name] = function (...given) {
    return wrapped((...changed) => original.apply(this, changed), given);
  };
}

/** The method is called when its statement need not wait any more. */
function meeting(object, name, textOf) {
  around(object, name, (method, given) => {
    const held = meet(textOf(...given));
    return held === null ? method(...given) : held.then(() => method(...given));
  });
}

meeting(DuckDBConnection.prototype, 'run', String);
meeting(pg.Client.prototype, 'query', (query) => `postgres ${typeof query === 'string' ? query : query.text}`);
meeting(ScheduleClient.prototype, 'create', () => 'schedule create');
around(ScheduleClient.prototype, 'getHandle', (method, given) => {
  const handle = method(...given);
  for (const word of ['describe', 'pause', 'unpause', 'update', 'delete'])
    meeting(handle, word, () => `schedule ${word}`);
  return handle;
});

around(Worker.prototype, 'run', (method) => isAllowed.then(() => method()));
// Else the server keeps a dead worker's workflows for it, ten seconds long.
around(Worker, 'create', (method, [options]) => method({...options, stickyQueueScheduleToStartTimeout: '1 second'}));
