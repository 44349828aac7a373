import {bearClosedPipe} from './cli/closed-pipe.ts';
import {buildProgram} from './cli/program.ts';
import {report} from './cli/report.ts';

/** The command `freshet`: arguments to a client call, result to text, error to exit status. */
const outputs = [process.stdout, process.stderr];
for (const stream of outputs) bearClosedPipe(stream);
try {
  await buildProgram().parseAsync();
} catch (error) {
  process.exitCode = report(error, process.argv.includes('--json'));
}
for (const stream of outputs) await new Promise<void>((written) => stream.write('', () => written()));
// Everything is closed. What is still under way is a call to a Temporal that does not answer: the process would wait for it, and the
// SDK's next try, over a connection that is closed, would end it with an error that nobody can catch.
process.exit();
