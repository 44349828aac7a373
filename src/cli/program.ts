import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {Command} from 'commander';
import {exampleText} from './command.ts';
import {addAlter} from './commands/alter.ts';
import {addCreate} from './commands/create.ts';
import {addDescribe} from './commands/describe.ts';
import {addDev} from './commands/dev.ts';
import {addDrop} from './commands/drop.ts';
import {addExplain} from './commands/explain.ts';
import {addHistory} from './commands/history.ts';
import {addList} from './commands/list.ts';
import {addMaintain} from './commands/maintain.ts';
import {addRefresh} from './commands/refresh.ts';
import {addResume} from './commands/resume.ts';
import {addSql} from './commands/sql.ts';
import {addSuspend} from './commands/suspend.ts';
import {addValidate} from './commands/validate.ts';
import {addVerify} from './commands/verify.ts';
import {addWatch} from './commands/watch.ts';
import {addWorker} from './commands/worker.ts';

/** `freshet` and its commands. Throws instead of ending the process. */
export function buildProgram(): Command {
  const program = new Command('freshet')
    .description('Dynamic tables for DuckLake, run by Temporal.')
    .version(version())
    .showHelpAfterError('Add --help to see what there is.')
    .helpCommand('help [command]', 'show this, or all about one command')
    .exitOverride()
    .addHelpText(
      'after',
      exampleText(['freshet dev', 'freshet sql "from orders"', 'freshet list', 'freshet refresh --help']),
    );
  for (const add of [addDev, addWorker]) add(program.commandsGroup('Processes:'));
  for (const add of [addSql, addCreate, addAlter, addDrop, addValidate]) add(program.commandsGroup('Statements:'));
  for (const add of [addRefresh, addSuspend, addResume, addVerify, addMaintain]) add(program.commandsGroup('Work:'));
  for (const add of [addList, addWatch, addDescribe, addHistory, addExplain]) add(program.commandsGroup('Looking:'));
  return program;
}

function version(): string {
  const text = readFileSync(path.join(packageFolder(import.meta.dirname), 'package.json'), 'utf8');
  return (JSON.parse(text) as {version: string}).version; // Our own file.
}

/** Two folders up from here in `src` and in `dist`, three in `build`. */
function packageFolder(folder: string): string {
  return existsSync(path.join(folder, 'package.json')) ? folder : packageFolder(path.dirname(folder));
}
