/*
 * Somebody in a process of his own who commits to a table of the lake every 50 ms, and says so each time, until he is disconnected.
 * Plain JavaScript, so that a test can start it as it is.
 */
import {setTimeout as pause} from 'node:timers/promises';
import {DuckDBInstance} from '@duckdb/node-api';

process.once('message', (place) => void commitOn(place));
process.once('disconnect', () => process.exit());

async function commitOn({attach, dataPath, extensions}) {
  const instance = await DuckDBInstance.create(':memory:', {threads: '1'});
  const connection = await instance.connect();
  for (const extension of extensions) await connection.run(`LOAD '${extension}'`);
  await connection.run(`ATTACH '${attach}' AS lake (DATA_PATH '${dataPath}')`);
  await connection.run('CREATE TABLE lake.main.beside (i INTEGER)');
  for (let i = 0; process.connected; i++) {
    await connection.run(`INSERT INTO lake.main.beside VALUES (${i})`);
    process.send?.('committed');
    await pause(50);
  }
}
