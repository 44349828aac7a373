import {readFile, rename, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {z} from 'zod';
import {lockHolder} from './lock.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the data of `freshet dev` is, seen from the folder in which it is called. */
export const stackFolder = '.freshet';

const stackFile = z.object({
  webUiUrl: z.string(),
  attach: z.string(),
  /** What the other commands read as if it were in their environment. It has a password: the file is for its owner. */
  environment: z.record(z.string(), z.string()),
});

export type RunningStack = z.infer<typeof stackFile>;

export async function writeStackFile(folder: string, stack: RunningStack): Promise<void> {
  await replace(path.join(folder, 'env'), shellLines(stack.environment));
  await replace(path.join(folder, 'stack.json'), `${JSON.stringify(stack, null, 2)}\n`);
}

async function replace(file: string, text: string): Promise<void> {
  await rm(`${file}.new`, {force: true});
  await writeFile(`${file}.new`, text, {mode: 0o600});
  await rename(`${file}.new`, file);
}

/** The same environment for programs of the user's own: a shell can read it, and so can `node --env-file`. */
function shellLines(environment: RunningStack['environment']): string {
  return Object.entries(environment)
    .map(([name, value]) => `${name}="${value.replaceAll(/["\\$`]/g, String.raw`\$&`)}"\n`)
    .join('');
}

export async function removeStackFile(folder: string): Promise<void> {
  for (const file of ['stack.json', 'env']) await rm(path.join(folder, file), {force: true});
}

/** The stack that `freshet dev` runs in `directory` or one above it. */
export async function findStack(directory: string): Promise<RunningStack | undefined> {
  const folder = path.join(path.resolve(directory), stackFolder);
  const text = await readFile(path.join(folder, 'stack.json'), 'utf8').catch(() => undefined);
  if (text !== undefined && (await lockHolder(folder)) !== undefined) return stackFile.parse(JSON.parse(text));
  const parent = path.dirname(path.resolve(directory));
  return parent === path.resolve(directory) ? undefined : await findStack(parent);
}

/**
 * The environment to read the configuration from: where it names a lake, metadata or Temporal that is meant, else the
 * stack that runs here is, if there is one.
 */
export async function withStack(environment: Environment, directory: string): Promise<Environment> {
  const named = ['FRESHET_LAKE', 'FRESHET_METADATA_URL', 'TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE'];
  if (named.some((name) => environment[name])) return environment;
  const stack = await findStack(directory);
  return stack ? mergeEnvironment(environment, stack.environment) : environment;
}

/** Temporal's variables of elsewhere, an API key for instance, have no place beside the address of this stack. */
export function mergeEnvironment(environment: Environment, stack: Environment): Environment {
  const others = Object.entries(environment).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return {...Object.fromEntries(others), ...stack};
}
