import {fileURLToPath} from 'node:url';
import {NativeConnection, Worker} from '@temporalio/worker';
import {FreshetPlugin, readConfig} from 'freshet/plugin';
import * as activities from './activities.js';

/** A worker of one's own. Of Freshet it has the plugin, and the variables that say where the lake is. */
const config = readConfig(process.env);
const connection = await NativeConnection.connect(config.temporal.connectionOptions);
const worker = await Worker.create({
  connection,
  namespace: config.temporal.namespace ?? 'default',
  taskQueue: 'warehouse',
  workflowsPath: fileURLToPath(new URL('./workflows.js', import.meta.url)),
  activities,
  plugins: [new FreshetPlugin({config})],
  shutdownGraceTime: '30 seconds',
});
await worker.run();
await connection.close();
