import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';

/** What a program that has installed the package finds under a name. */
async function exportsOf(name: string): Promise<unknown> {
  const program = `console.log(JSON.stringify(Object.keys(await import(${JSON.stringify(name)}))))`;
  const {stdout} = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  return JSON.parse(stdout);
}

test('the package has an entry for applications, clients, plugin, worker and workflows', async () => {
  expect(await exportsOf('freshet')).toContain('FreshetClient');
  expect(await exportsOf('freshet/client')).toContain('FreshetClient');
  expect(await exportsOf('freshet/plugin')).toContain('FreshetPlugin');
  expect(await exportsOf('freshet/worker')).toContain('runWorker');
  expect(await exportsOf('freshet/workflows')).toContain('refreshDynamicTable');
});
