import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdir, rename} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import {cacheFolder, withTemporaryFolder} from '../../src/dev/cache.ts';

export type Python = {readonly run: (args: readonly string[], environment: NodeJS.ProcessEnv) => Promise<string>};

/** Python with a package of PyPI, kept for the next time; where that can't be had, why. */
export async function aPythonWith(requirement: string): Promise<Python | string> {
  const folder = path.join(cacheFolder(), 'python', requirement);
  try {
    if (!existsSync(folder)) await withTemporaryFolder((fresh) => install(requirement, fresh, folder));
  } catch (error) {
    return `pip does not bring ${requirement}: ${error instanceof Error ? error.message : String(error)}`;
  }
  return {
    run: async (args, environment) => {
      const env = {...process.env, ...environment, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1'};
      try {
        return (await promisify(execFile)('python3', [...args], {env, timeout: 60_000})).stdout;
      } catch (error) {
        const {stdout, stderr, signal} = error as {stdout?: string; stderr?: string; signal?: string};
        // A thread of the SDK's core may come too late, and Python then aborts on its way out: all has been said by then.
        if (signal === 'SIGABRT' && stdout && stderr?.includes('runtime state: finalizing')) return stdout;
        throw error;
      }
    },
  };
}

async function install(requirement: string, fresh: string, folder: string): Promise<void> {
  const target = path.join(fresh, 'packages');
  const args = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--no-input',
    '--no-compile',
    '--only-binary=:all:',
    '--target',
    target,
  ];
  await promisify(execFile)('python3', [...args, requirement], {timeout: 60_000});
  await mkdir(path.dirname(folder), {recursive: true});
  await rename(target, folder);
}
