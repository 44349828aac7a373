import {FreshetError} from '../errors.ts';

/** One way to get a file: its path, or undefined when this way has nothing to offer here. Throws when it was tried in vain. */
export type Source = {readonly name: string; readonly get: () => Promise<string | undefined>};

/** The file from the first source that has it, or one error that tells all that was tried and how to help. */
export async function firstOf(what: string, sources: readonly Source[], byHand: string): Promise<string> {
  const failures = [];
  for (const source of sources) {
    try {
      const file = await source.get();
      if (file !== undefined) return file;
    } catch (error) {
      failures.push(`  ${source.name}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
    }
  }
  throw new FreshetError('unavailable', `${what} could not be had. Tried in this order:\n${failures.join('\n')}`, {
    hint: byHand,
  });
}

/** Tells a person why it takes a while. On standard error: standard output belongs to results. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
