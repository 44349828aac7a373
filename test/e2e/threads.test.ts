import {execFile} from 'node:child_process';
import path from 'node:path';
import {expect, test} from 'vitest';

test('the command has the threads to compute 14 refreshes at once, unless it is told otherwise', async () => {
  expect(await complaintOf({FRESHET_COMPUTE_CONCURRENCY: '15'})).toContain('it should be at most 14');
  expect(await complaintOf({FRESHET_COMPUTE_CONCURRENCY: '3', UV_THREADPOOL_SIZE: '4'})).toContain('at most 2');
});

/** What a worker says of a configuration that it refuses. */
function complaintOf(variables: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve) => {
    const lake = {FRESHET_LAKE: 'postgresql://127.0.0.1/lake', FRESHET_LAKE_DATA_PATH: '/lake'};
    const env = {PATH: process.env['PATH'], ...lake, ...variables};
    execFile(process.execPath, [path.resolve('dist/freshet.cjs'), 'worker'], {env}, (_, __, err) => resolve(err));
  });
}
