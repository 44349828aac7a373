import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import path from 'node:path';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {parse} from 'yaml';
import {freePort} from '../../src/dev/free-port.ts';
import {eventually} from '../support/eventually.ts';
import {aSecureTemporal, apiKey} from '../support/secure-temporal.ts';
import {aStack} from '../support/stack.ts';
import {aWorkerProcess} from '../support/worker-process.ts';

/** As docker-compose.yml gives it to its worker. */
const composed: Readonly<Record<string, string>> = parse(readFileSync('docker-compose.yml', 'utf8')).services.worker
  .environment;

test("the image's worker, with the environment of a container, takes up servers that are there, by TLS and with an API key", async () => {
  await using stack = await aStack({withWorker: false});
  await stack.run('create table orders as select i as id, i % 3 as region from range(9) as t(i)');
  await using temporal = await aSecureTemporal(stack.config.temporal.connectionOptions.address ?? '');
  const {options, prefix} = stack;
  const health = `127.0.0.1:${await freePort()}`;
  const servers = {
    FRESHET_LAKE: options.catalog,
    FRESHET_LAKE_DATA_PATH: options.dataPath,
    ...temporal.environment,
  };
  const environment = {...composed, ...servers, FRESHET_HEALTH_ADDRESS: health, FRESHET_PREFIX: prefix};
  expect(Object.keys(composed)).toEqual(
    expect.arrayContaining(['FRESHET_LAKE', 'FRESHET_LAKE_DATA_PATH', 'TEMPORAL_ADDRESS']),
  );
  await using worker = aWorkerProcess(stack, environment);
  await eventually(
    () =>
      fetch(`http://${health}/readyz`).then(
        ({status}) => status,
        () => 0,
      ),
    (status) => status === 200,
  );

  const freshet = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    promisify(execFile)(process.execPath, [path.resolve('dist/freshet.cjs'), ...args], {
      env: {...process.env, ...environment, ...more},
    });
  const statement = `create dynamic table t target_lag = '1 day' as select region, count(*) as n from orders group by 1`;
  expect((await freshet(['create', statement])).stdout).toContain('Created main.t');
  expect((await freshet(['verify', 't'])).stdout).toContain('equal to its query');
  const refused = await freshet(['verify', 't'], {TEMPORAL_API_KEY: `${apiKey}_of_another`}).catch(
    (error: unknown) => error,
  );
  expect(refused).toMatchObject({code: 31, stderr: expect.stringContaining('TEMPORAL_*')});
  expect(await worker.stop()).toBe(0);
  expect(`${worker.log()}${JSON.stringify(refused)}`).not.toContain(apiKey);
});
