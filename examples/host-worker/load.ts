import {Client, Connection} from '@temporalio/client';
import {loadClientConnectConfig} from '@temporalio/envconfig';
import type {nightlyLoad} from './workflows.js';

/** Loads a day now: `npm run load 2026-11-25`. */
const day = process.argv[2] ?? new Date().toISOString().slice(0, 10);
const {connectionOptions, namespace = 'default'} = loadClientConnectConfig();
const connection = await Connection.connect(connectionOptions);
const client = new Client({connection, namespace});
const report = await client.workflow.execute<typeof nightlyLoad>('nightlyLoad', {
  taskQueue: 'warehouse',
  workflowId: `nightly-load/${day}`,
  // Who asks again while it runs waits for the same.
  workflowIdConflictPolicy: 'USE_EXISTING',
  args: [day],
});
console.log(`${report.orders} orders of ${day}. Best customers:`);
console.table(report.best);
await connection.close();
