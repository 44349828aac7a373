import type {Command} from 'commander';
import {exampleText} from '../command.ts';

export function addWorker(program: Command): void {
  program
    .command('worker')
    .description('run a worker for the lake and the servers that the environment names (docs/configuration.md)')
    .addHelpText('after', exampleText(['FRESHET_LAKE=postgresql://… FRESHET_LAKE_DATA_PATH=/data/lake freshet worker']))
    .action(worker);
}

async function worker(): Promise<void> {
  const [{readConfig}, {runWorker}] = await Promise.all([import('../../config.ts'), import('../../worker.ts')]);
  await runWorker(readConfig(process.env));
}
