import {execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {chmod, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {until} from '../../src/dev/process.ts';

/** What a command said and how it ended. */
export type Said = {readonly status: number; readonly out: string; readonly err: string};

/** A folder in which the real `freshet dev` runs, and a shell in it that knows `freshet`, and `npx freshet` as README writes it. */
export type DevFolder = AsyncDisposable & {
  readonly folder: string;
  readonly freshet: (args: readonly string[], input?: string) => Promise<Said>;
  readonly shell: (script: string) => Promise<Said>;
  /** Presses Ctrl-C when the command has said so much. */
  readonly interrupted: (args: readonly string[], when: string) => Promise<Said>;
};

const cli = path.resolve('dist/freshet.cjs');

export async function aDevFolder(): Promise<DevFolder> {
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-test-'));
  // Under root, PostgreSQL runs as another user, who must be able to pass.
  await chmod(folder, 0o711);
  // The package as npx finds it in a folder where it is installed.
  await mkdir(path.join(folder, 'node_modules', '.bin'), {recursive: true});
  const command = `#!/bin/sh\nexec "${process.execPath}" "${cli}" "$@"\n`;
  await writeFile(path.join(folder, 'node_modules', '.bin', 'freshet'), command, {mode: 0o755});
  const stop = await startDev(folder);
  return {
    folder,
    freshet: (args, input = '') => run(process.execPath, [cli, ...args], folder, input),
    shell: (script) => run('/bin/sh', ['-c', script], folder, ''),
    interrupted: (args, when) => run(process.execPath, [cli, ...args], folder, '', when),
    [Symbol.asyncDispose]: async () => {
      await stop();
      await rm(folder, {recursive: true, force: true});
    },
  };
}

async function startDev(folder: string): Promise<() => Promise<unknown>> {
  const dev = spawn(process.execPath, [cli, 'dev'], {cwd: folder, stdio: ['ignore', 'pipe', 'pipe']});
  let output = '';
  for (const stream of [dev.stdout, dev.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await until(async () => dev.exitCode !== null || output.includes('Freshet runs'), 120_000);
  if (dev.exitCode !== null) throw new Error(`freshet dev ended: ${output}`);
  return async () => {
    dev.kill('SIGINT');
    if (dev.exitCode === null) await once(dev, 'exit');
  };
}

function run(
  program: string,
  args: readonly string[],
  folder: string,
  input: string,
  interruptedWhen?: string,
): Promise<Said> {
  return new Promise((resolve) => {
    const child = execFile(program, args, {cwd: folder}, (error, out, err) => {
      resolve({status: error === null ? 0 : Number(error.code), out, err});
    });
    child.stdin?.end(input);
    let said = '';
    const hear = (text: string) => {
      const had = said;
      said += text;
      if (interruptedWhen === undefined || had.includes(interruptedWhen)) return;
      if (said.includes(interruptedWhen)) child.kill('SIGINT');
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
  });
}
