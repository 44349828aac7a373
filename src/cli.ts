import {bearClosedPipe} from './cli/closed-pipe.ts';
import {buildProgram} from './cli/program.ts';
import {report} from './cli/report.ts';

/** The command `freshet`: arguments to a client call, result to text, error to exit status. */
for (const stream of [process.stdout, process.stderr]) bearClosedPipe(stream);
try {
  await buildProgram().parseAsync();
} catch (error) {
  process.exitCode = report(error, process.argv.includes('--json'));
}
