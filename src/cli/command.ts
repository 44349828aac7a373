import {InvalidArgumentError, type Command} from 'commander';

/** What the commands have in common. */

export type JsonOption = {readonly json?: true};

/** Adds `--json` and the examples that `--help` ends with. */
export function finish(command: Command, ...examples: readonly string[]): Command {
  return command
    .option('--json', 'print the answer as JSON (docs/cli.md has the shapes)')
    .addHelpText('after', exampleText(examples));
}

export function exampleText(examples: readonly string[]): string {
  return ['', examples.length === 1 ? 'Example:' : 'Examples:', ...examples.map((each) => `  $ ${each}`)].join('\n');
}

/** Prints an answer: one JSON document, or text for people. */
export function answer<T>(result: T, {json}: JsonOption, text: (result: T) => string): void {
  process.stdout.write(`${json === true ? JSON.stringify(result, null, 2) : text(result)}\n`);
}

/** A count given on the command line. */
export function readCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It is a whole number from 1.');
  return value;
}
