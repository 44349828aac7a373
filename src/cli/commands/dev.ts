import type {Command} from 'commander';
import type {DevStack} from '../../dev/dev.ts';
import {FreshetError} from '../../errors.ts';
import {exampleText} from '../command.ts';
import {bold, fields, indent, shellWord} from '../text.ts';

export function addDev(program: Command): void {
  program
    .command('dev')
    .description('run everything on this machine: PostgreSQL, Temporal with its Web UI, a worker; data in ./.freshet')
    .addHelpText('after', exampleText(['freshet dev']))
    .action(dev);
}

async function dev(): Promise<void> {
  const {startDevStack} = await import('../../dev/dev.ts');
  const stopped = stopSignal();
  const stack = await startDevStack({progress: say});
  say(welcome(stack));
  const broken = await Promise.race([stopped, stack.broken]);
  say('Stopping …');
  await stack.stop();
  if (broken !== null)
    throw new FreshetError('unavailable', `${broken} ended without being asked to.`, {
      hint: 'Start freshet dev again: it goes on where it was.',
    });
}

/** Fulfilled with null when this process is asked to stop. */
function stopSignal(): Promise<null> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(null));
  });
}

function welcome({webUiUrl, attach, environment, temporalCli}: DevStack): string {
  const address = environment['TEMPORAL_ADDRESS'] ?? '';
  return [
    '',
    bold('Freshet runs. Ctrl-C stops it; the next start goes on where it was.'),
    indent(
      fields([
        ['Web UI', webUiUrl],
        ['Temporal', address],
        ['Temporal CLI', `${shellWord(temporalCli)} --address ${address}`],
        ['Lake', `${attach};`],
      ]),
    ),
    'In another terminal, in this folder: freshet sql, freshet create, freshet list …',
    '',
  ].join('\n');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
