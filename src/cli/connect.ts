import type {Connection, ConnectionOptions} from '@temporalio/client';
import type {FreshetClient, OnHold} from '../client.ts';
import type {Config} from '../config.ts';
import {FreshetError} from '../errors.ts';
import type {PlainSql} from './plain-sql.ts';

/** What commands work with. Each part is opened when it is first asked for. */
export type Freshet = {
  readonly client: () => Promise<FreshetClient>;
  /** A client that does without Temporal until it needs it. */
  readonly reader: () => Promise<FreshetClient>;
  readonly plainSql: () => Promise<PlainSql>;
};

/** Gives `use` the stack of `freshet dev` that runs here, or the servers that the environment names. */
export async function withFreshet<T>(use: (freshet: Freshet) => Promise<T>, onHold?: OnHold): Promise<T> {
  return withServers(await findEnvironment(), use, onHold);
}

/** Gives `use` the servers that `environment` names, and closes what was opened. */
export async function withServers<T>(
  environment: Environment,
  use: (freshet: Freshet) => Promise<T>,
  onHold?: OnHold,
): Promise<T> {
  const opened: (() => unknown)[] = [];
  const client = once(() => openClient(environment, opened, connected, onHold));
  const reader = once(() => openClient(environment, opened, unconnected, onHold));
  const plainSql = once(() => openLake(environment, opened));
  try {
    return await use({client, reader, plainSql});
  } finally {
    for (const close of opened.reverse()) await close();
  }
}

export async function withClient<T>(use: (client: FreshetClient) => Promise<T>, onHold?: OnHold): Promise<T> {
  return withFreshet(async ({client}) => use(await client()), onHold);
}

/** For what PostgreSQL alone can tell: Temporal is reached when it is first asked, if it can be. */
export async function withReader<T>(use: (client: FreshetClient) => Promise<T>, onHold?: OnHold): Promise<T> {
  return withFreshet(async ({reader}) => use(await reader()), onHold);
}

type Environment = Readonly<Record<string, string | undefined>>;

// What is heavy is imported when it is needed: `--help` and mistakes answer at once.

async function findEnvironment(): Promise<Environment> {
  const {withStack} = await import('../dev/stack-file.ts');
  const environment = await withStack(process.env, process.cwd());
  if (
    ['FRESHET_LAKE', 'FRESHET_METADATA_URL', 'TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE'].some((name) => environment[name])
  ) {
    return environment;
  }
  throw new FreshetError(
    'unavailable',
    'No freshet dev runs in this folder or one above it, and the environment names no servers.',
    {
      hint: 'Start freshet dev in another terminal, or set the variables that docs/configuration.md describes.',
    },
  );
}

async function openClient(
  environment: Environment,
  opened: (() => unknown)[],
  connect: typeof connected,
  onHold: OnHold | undefined,
): Promise<FreshetClient> {
  const [{readClientConfig}, {Client}, {FreshetClient}] = await Promise.all([
    import('../config.ts'),
    import('@temporalio/client'),
    import('../client.ts'),
  ]);
  const {temporal, metadataUrl, prefix, taskQueue} = readClientConfig(environment);
  const connection = await connect({...temporal.connectionOptions, connectTimeout: connectMilliseconds});
  opened.push(() => connection.close());
  const client = new FreshetClient({
    temporal: new Client({connection, ...(temporal.namespace === undefined ? {} : {namespace: temporal.namespace})}),
    metadataUrl,
    prefix,
    taskQueue,
    onHold,
  });
  opened.push(() => client.close());
  return client;
}

/** A server that is there answers in a fraction of it. */
const connectMilliseconds = 5_000;

async function connected(options: ConnectionOptions): Promise<Connection> {
  const {Connection} = await import('@temporalio/client');
  return await Connection.connect(options).catch((error: unknown) => {
    const address = options.address ?? 'localhost:7233';
    throw new FreshetError('unavailable', `Temporal at ${address} can't be reached: ${messageOf(error)}`, {
      hint: 'Is it running, and are the TEMPORAL_* variables right?',
      cause: error,
    });
  });
}

async function unconnected(options: ConnectionOptions): Promise<Connection> {
  const {Connection} = await import('@temporalio/client');
  return Connection.lazy(options);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function openLake(environment: Environment, opened: (() => unknown)[]): Promise<PlainSql> {
  const [{readConfig}, {provisionExtensions}, {openPlainSql}] = await Promise.all([
    import('../config.ts'),
    import('../dev/provision.ts'),
    import('./plain-sql.ts'),
  ]);
  const config = readConfig(environment);
  const extensions = await provisionExtensions(extensionsFor(config));
  const plainSql = await openPlainSql(config.lake, extensions);
  opened.push(plainSql.close);
  return plainSql;
}

/** An object store is reached by another extension. */
function extensionsFor({lake}: Config): ('postgres_scanner' | 'ducklake' | 'httpfs')[] {
  return ['postgres_scanner', 'ducklake', ...(/^\w+:\/\//.test(lake.dataPath) ? (['httpfs'] as const) : [])];
}

function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opening: Promise<T> | undefined;
  return () => (opening ??= open());
}
