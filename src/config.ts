import {loadClientConnectConfig, type ClientConnectConfig} from '@temporalio/envconfig';
import path from 'node:path';
import type {z} from 'zod';
import {FreshetError} from './errors.ts';
import {readCatalogUrl} from './lake/catalog-url.ts';
import {taskQueue} from './temporal-names.ts';
import {secretVariables, variables, type LogFormat, type LogLevel} from './variables.ts';

/** What a client needs: Temporal, and PostgreSQL for lists and histories. */
export type ClientConfig = {
  readonly temporal: ClientConnectConfig;
  readonly metadataUrl: string | undefined;
  /** Stands before task queues and ids, so that several lakes can share a namespace. */
  readonly prefix: string;
  /** Where workflows are started. */
  readonly taskQueue: string;
  /** Takes the passwords and addresses of this configuration out of a text that leaves the process. */
  readonly scrub: (text: string) => string;
};

/** What a worker needs: all of it. */
export type Config = ClientConfig & {
  readonly metadataUrl: string;
  readonly lake: {
    /** What ATTACH takes, with the password if it has one. */
    readonly catalog: string;
    readonly dataPath: string;
    readonly metadataSchema: string;
    /** The name by which queries may call the lake. */
    readonly name: string;
  };
  readonly stagingPath: string;
  readonly duckdb: {readonly threads: number; readonly memoryLimitBytes: number; readonly tempDirectory: string};
  readonly computeConcurrency: number;
  readonly heartbeatSeconds: number;
  readonly metricsAddress: string | undefined;
  readonly healthAddress: string | undefined;
  readonly alerts: AlertReceiver | undefined;
  readonly log: {readonly level: LogLevel; readonly format: LogFormat};
  readonly isMigrating: boolean;
  readonly shutdownGraceSeconds: number;
};

/** Who is told when something should not wait; with a secret each post is signed. */
export type AlertReceiver = {readonly url: string; readonly secret: string | undefined};

type Environment = Readonly<Record<string, string | undefined>>;

type Variables = z.infer<typeof variables>;

/** The configuration of a worker. Throws one error that names every wrong value and what it should be. */
export function readConfig(environment: Environment): Config {
  const values = parse(variables, environment);
  const metadataUrl = values.FRESHET_METADATA_URL ?? urlOf(values.FRESHET_LAKE);
  const stagingPath = values.FRESHET_STAGING_PATH ?? stagingBeside(values.FRESHET_LAKE_DATA_PATH);
  const wrong = [
    ...(metadataUrl === undefined ? [metadataMissing] : []),
    ...(stagingPath === undefined ? ['FRESHET_STAGING_PATH is missing.'] : []),
    ...(stagingPath !== undefined && isInside(stagingPath, values.FRESHET_LAKE_DATA_PATH)
      ? [`FRESHET_STAGING_PATH is "${stagingPath}"; it should be outside of FRESHET_LAKE_DATA_PATH.`]
      : []),
    ...concurrencyProblems(values, environment),
  ];
  if (wrong.length > 0 || metadataUrl === undefined || stagingPath === undefined) throw invalid(wrong);
  return Object.freeze({
    temporal: readTemporal(environment),
    metadataUrl,
    ...namesOf(values),
    scrub: hiding([values.FRESHET_ALERT_URL, values.FRESHET_ALERT_SECRET], scrubber(values.FRESHET_LAKE, metadataUrl)),
    lake: Object.freeze({
      catalog: values.FRESHET_LAKE,
      dataPath: absolute(values.FRESHET_LAKE_DATA_PATH),
      metadataSchema: values.FRESHET_LAKE_METADATA_SCHEMA,
      name: values.FRESHET_LAKE_NAME,
    }),
    stagingPath: absolute(stagingPath),
    duckdb: Object.freeze({
      threads: values.FRESHET_DUCKDB_THREADS,
      memoryLimitBytes: values.FRESHET_DUCKDB_MEMORY_LIMIT,
      tempDirectory: path.resolve(values.FRESHET_DUCKDB_TEMP_DIRECTORY),
    }),
    computeConcurrency: values.FRESHET_COMPUTE_CONCURRENCY ?? Math.min(2, mostConcurrency(environment)),
    heartbeatSeconds: values.FRESHET_HEARTBEAT_SECONDS,
    metricsAddress: values.FRESHET_METRICS_ADDRESS,
    healthAddress: values.FRESHET_HEALTH_ADDRESS,
    alerts: receiverOf(values),
    log: Object.freeze({level: values.FRESHET_LOG_LEVEL, format: values.FRESHET_LOG_FORMAT}),
    isMigrating: values.FRESHET_MIGRATE === 'true',
    shutdownGraceSeconds: values.FRESHET_SHUTDOWN_GRACE_SECONDS,
  });
}

/** The configuration of a client, which needs neither a lake nor DuckDB. */
export function readClientConfig(environment: Environment): ClientConfig {
  const needed = {
    FRESHET_LAKE: true,
    FRESHET_METADATA_URL: true,
    FRESHET_PREFIX: true,
    FRESHET_TASK_QUEUE: true,
  } as const;
  const values = parse(variables.pick(needed).partial({FRESHET_LAKE: true}), environment);
  const metadataUrl = values.FRESHET_METADATA_URL ?? urlOf(values.FRESHET_LAKE ?? '');
  return Object.freeze({
    temporal: readTemporal(environment),
    metadataUrl,
    ...namesOf(values),
    scrub: scrubber(values.FRESHET_LAKE, metadataUrl),
  });
}

function namesOf({
  FRESHET_PREFIX: prefix,
  FRESHET_TASK_QUEUE: queue,
}: Pick<Variables, 'FRESHET_PREFIX' | 'FRESHET_TASK_QUEUE'>): Pick<ClientConfig, 'prefix' | 'taskQueue'> {
  return {prefix, taskQueue: queue ?? taskQueue(prefix)};
}

function receiverOf({FRESHET_ALERT_URL: url, FRESHET_ALERT_SECRET: secret}: Variables): Config['alerts'] {
  return url === undefined ? undefined : Object.freeze({url, secret});
}

function scrubber(...urls: readonly (string | undefined)[]): ClientConfig['scrub'] {
  const secrets = urls.map((url) => readCatalogUrl(url ?? '')).filter((url) => url !== null);
  return (text) => secrets.reduce((clean, secret) => secret.scrub(clean), text);
}

function hiding(secrets: readonly (string | undefined)[], scrub: ClientConfig['scrub']): ClientConfig['scrub'] {
  const given = secrets.filter((secret) => secret !== undefined);
  return (text) => given.reduce((clean, secret) => clean.replaceAll(secret, '***'), scrub(text));
}

function readTemporal(environment: Environment): ClientConnectConfig {
  // Empty as not set, as everywhere: an API key without a character would turn TLS on.
  const set = Object.entries(environment).filter((entry): entry is [string, string] => Boolean(entry[1]));
  try {
    return loadClientConnectConfig({overrideEnvVars: Object.fromEntries(set)});
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new FreshetError('invalid_configuration', `Temporal's own configuration is wrong: ${message}`, {cause});
  }
}

function parse<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  environment: Environment,
): z.infer<z.ZodObject<Shape>> {
  // An empty variable counts as not set: many tools can't unset one.
  const set = Object.fromEntries(Object.keys(schema.shape).map((name) => [name, environment[name] || undefined]));
  const result = schema.safeParse(set);
  if (result.success) return result.data;
  throw invalid(
    result.error.issues.map((issue) => {
      const name = String(issue.path[0]);
      const value = set[name];
      if (value === undefined) return `${name} is missing; it should be ${issue.message}.`;
      return `${name} ${secretVariables.includes(name) ? beginning(value) : `is "${value}"`}; it should be ${issue.message}.`;
    }),
  );
}

/** What can be told of a wrong address without its secrets: by which scheme it begins, if that is one that we know. */
function beginning(value: string): string {
  const scheme = /^(?:ducklake:)?(?:postgres(?:ql)?|mysql|sqlite|duckdb|ducklake|md|https?|s3|file):/i.exec(value)?.[0];
  if (scheme !== undefined) return `begins with "${scheme.toLowerCase()}"`;
  return value.includes(':') ? 'begins with no scheme that is known' : 'has no scheme';
}

function invalid(problems: readonly string[]): FreshetError {
  return new FreshetError('invalid_configuration', ['The configuration is wrong:', ...problems].join('\n  '), {
    hint: 'docs/configuration.md describes every variable.',
  });
}

/** Each running statement of DuckDB occupies one of Node's pool threads; two are left for files, names and looks. */
function mostConcurrency(environment: Environment): number {
  return Math.max(1, Number(environment['UV_THREADPOOL_SIZE'] ?? 4) - 2);
}

function concurrencyProblems({FRESHET_COMPUTE_CONCURRENCY: wanted}: Variables, environment: Environment): string[] {
  const most = mostConcurrency(environment);
  if (wanted === undefined || wanted <= most) return [];
  return [
    `FRESHET_COMPUTE_CONCURRENCY is "${wanted}"; it should be at most ${most}, or UV_THREADPOOL_SIZE at least ${wanted + 2}.`,
  ];
}

const metadataMissing =
  'FRESHET_METADATA_URL is missing, and FRESHET_LAKE is no address to take it from; either should be "postgresql://user:password@host:port/database".';

/** The same database by an address that PostgreSQL's drivers understand; one given by keywords has none. */
function urlOf(catalog: string): string | undefined {
  return /postgres(?:ql)?:\/\/.*$/s.exec(catalog)?.[0];
}

function stagingBeside(dataPath: string): string | undefined {
  return isRemote(dataPath) ? undefined : `${path.resolve(dataPath)}.staging`;
}

function isRemote(location: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(location);
}

function absolute(location: string): string {
  return isRemote(location) ? location : path.resolve(location);
}

function isInside(inner: string, outer: string): boolean {
  const withSlash = (location: string): string => `${absolute(location).replace(/\/+$/, '')}/`;
  return withSlash(inner).startsWith(withSlash(outer));
}
