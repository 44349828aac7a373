import type {Command} from 'commander';
import {exampleText} from '../command.ts';

export function addDev(program: Command): void {
  program
    .command('dev')
    .description('run everything on this machine: PostgreSQL, Temporal with its Web UI, a worker')
    .addHelpText('after', exampleText(['freshet dev']))
    .action(() => undefined);
}
