import type {Command} from 'commander';
import {exampleText} from '../command.ts';

export function addWorker(program: Command): void {
  program
    .command('worker')
    .description('run a worker for the servers that the environment names')
    .addHelpText('after', exampleText(['FRESHET_LAKE=… FRESHET_LAKE_DATA_PATH=… freshet worker']))
    .action(() => undefined);
}
