import {availableParallelism, tmpdir, totalmem} from 'node:os';
import path from 'node:path';
import {z} from 'zod';
import {readCatalogUrl} from './lake/catalog-url.ts';

export type LogLevel = (typeof logLevels)[number];
export type LogFormat = (typeof logFormats)[number];

const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const;
const logFormats = ['json', 'text'] as const;

/** Every variable of ours: how it is read, what it is for and what holds when it is not set. */
export const variables = z.object({
  FRESHET_LAKE: text('"ducklake:postgres:dbname=…", "postgres:dbname=…" or "postgresql://…"', isPostgresCatalog).meta({
    description: "Where the lake's catalog is, in PostgreSQL, as ATTACH takes it",
    standard: 'required by workers',
  }),
  FRESHET_LAKE_DATA_PATH: text('a folder or the address of an object store').meta({
    description: "Where the lake's files are",
    standard: 'required by workers',
  }),
  FRESHET_LAKE_METADATA_SCHEMA: text('the name of a schema').default('public').meta({
    description: "The schema of PostgreSQL that the lake's catalog is in",
    standard: '`public`',
  }),
  FRESHET_LAKE_NAME: text('a name').default('lake').meta({
    description: 'The name by which queries may call the lake: `lake.main.orders`',
    standard: '`lake`',
  }),
  FRESHET_METADATA_URL: text('"postgresql://user:password@host:port/database"', isPostgresUrl).optional().meta({
    description: "PostgreSQL database for Freshet's own tables, in its schema `freshet`",
    standard: 'the database of `FRESHET_LAKE`, if that is an address `postgresql://…`',
  }),
  FRESHET_STAGING_PATH: text('a folder or the address of an object store').optional().meta({
    description:
      'Where changes wait between two steps of a refresh; all workers reach it, and it is outside of the data path',
    standard: 'beside the data path, with `.staging` after its name, if that is a folder',
  }),
  FRESHET_DUCKDB_THREADS: whole(1, 1024).default(availableParallelism()).meta({
    description: 'Threads of each DuckDB that computes',
    standard: 'one for each processor',
  }),
  FRESHET_DUCKDB_MEMORY_LIMIT: size().default(halfOfTheMemory()).meta({
    description: "Memory for all of a worker's DuckDBs together, such as `4GiB` or `500MB`",
    standard: "half of the machine's",
  }),
  FRESHET_DUCKDB_TEMP_DIRECTORY: text('a folder').default(path.join(tmpdir(), 'freshet-duckdb')).meta({
    description: 'Where DuckDB puts what does not fit into memory',
    standard: "`freshet-duckdb` in the system's folder for temporary files",
  }),
  FRESHET_DUCKDB_EXTENSIONS: text('a folder').optional().meta({
    description:
      "A folder with DuckDB's extensions as files, such as `ducklake.duckdb_extension`, so that none is downloaded",
    standard: 'they are downloaded once, into the cache',
  }),
  FRESHET_TEMPORAL_CLI: text('the path of a program').optional().meta({
    description: "Temporal's CLI for `freshet dev`, so that it is not downloaded",
    standard: 'it is downloaded once, into the cache',
  }),
  FRESHET_COMPUTE_CONCURRENCY: whole(1, 1024).optional().meta({
    description: 'How many refreshes a worker computes at once; at most `UV_THREADPOOL_SIZE` (16 in `freshet`) less 2',
    standard: '2, or what is possible',
  }),
  FRESHET_HEARTBEAT_SECONDS: whole(1, 3600).default(10).meta({
    description: 'How long a worker may be silent while a statement runs until it is taken for dead, in seconds',
    standard: '`10`',
  }),
  FRESHET_METRICS_ADDRESS: text('"host:port", such as "127.0.0.1:9464"', isHostAndPort).optional().meta({
    description: 'Where a worker serves `/metrics` for Prometheus',
    standard: 'no metrics are served',
  }),
  FRESHET_HEALTH_ADDRESS: text('"host:port", such as "0.0.0.0:8080"', isHostAndPort).optional().meta({
    description: 'Where a worker answers at `/livez` and `/readyz`, whether it is alive and takes work',
    standard: 'it does not',
  }),
  FRESHET_ALERT_URL: text('"http://host/path" or "https://host/path", without a user', isHttpUrl).optional().meta({
    description: 'Where a worker posts alerts as JSON: see [alerts](alerts.md)',
    standard: 'no alerts are sent',
  }),
  FRESHET_ALERT_SECRET: text('a text').optional().meta({
    description: 'The key that alerts are signed with',
    standard: 'they are not signed',
  }),
  FRESHET_LOG_LEVEL: z
    .enum(logLevels, {error: oneOf(logLevels)})
    .default('info')
    .meta({
      description: 'The least important messages that are logged: `trace`, `debug`, `info`, `warn` or `error`',
      standard: '`info`',
    }),
  FRESHET_LOG_FORMAT: z
    .enum(logFormats, {error: oneOf(logFormats)})
    .default('json')
    .meta({
      description: '`json`, one object a line, or `text` for people',
      standard: '`json`',
    }),
  FRESHET_PREFIX: text('at most 40 letters, digits, "-" and "_"', (value) => /^[\w-]{0,40}$/.test(value))
    .default('')
    .meta({
      description: 'Stands before task queues and ids, so that several lakes can share a namespace of Temporal',
      standard: 'empty',
    }),
  FRESHET_TASK_QUEUE: text('a name').optional().meta({
    description:
      "Temporal's task queue of the worker that does the work, such as that of a worker of yours with the plugin",
    standard: '`freshet`, with the prefix before it',
  }),
  FRESHET_MIGRATE: z
    .enum(['true', 'false'], {error: oneOf(['true', 'false'])})
    .default('false')
    .meta({
      description: "Whether a worker that starts brings Freshet's tables in PostgreSQL up to date",
      standard: '`false`',
    }),
  FRESHET_SHUTDOWN_GRACE_SECONDS: whole(0, 3600).default(30).meta({
    description: 'How long a worker that is asked to stop lets running refreshes go on, in seconds',
    standard: '`30`',
  }),
});

/** Their values hold passwords and appear in no message. */
export const secretVariables: readonly string[] = [
  'FRESHET_LAKE',
  'FRESHET_METADATA_URL',
  'FRESHET_ALERT_URL',
  'FRESHET_ALERT_SECRET',
];

/** What `docs/configuration.md` says of each variable. */
export const configVariables: readonly {name: string; description: string; standard: string}[] = Object.entries(
  variables.shape,
).map(([name, schema]) => {
  const {description = '', standard} = schema.meta() ?? {};
  return {name, description, standard: String(standard)};
});

type Text = z.ZodType<string, string>;

/** A text; `should` says what it should be, for the error of one that is not. */
function text(should: string, isRight: (value: string) => boolean = () => true): Text {
  return z.string({error: should}).refine(isRight, {error: should});
}

function whole(from: number, to: number): z.ZodType<number, string> {
  return z
    .string()
    .refine((value) => /^\d{1,9}$/.test(value) && Number(value) >= from && Number(value) <= to, {
      error: `a whole number from ${from} to ${to}`,
    })
    .transform(Number);
}

const units: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** An amount of memory, in bytes. */
function size(): z.ZodType<number, string> {
  return z
    .string()
    .transform((value) => {
      const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(value.trim()) ?? [];
      return Math.floor(Number(number) * (units[unit.toUpperCase()] ?? Number.NaN));
    })
    .refine((bytes) => bytes >= units['MIB']! * 256, {error: 'at least 256MiB, such as "4GiB" or "500MB"'});
}

/** Of the machine, or of the container where that has less. */
function halfOfTheMemory(): number {
  return Math.floor(Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY) / 2);
}

function isPostgresCatalog(value: string): boolean {
  return readCatalogUrl(value) !== null;
}

function isPostgresUrl(value: string): boolean {
  return /^postgres(ql)?:\/\//i.test(value) && URL.canParse(value);
}

function isHttpUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const {protocol, username, password} = new URL(value);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

function isHostAndPort(value: string): boolean {
  const port = /^[^\s/]+:(\d{1,5})$/.exec(value)?.[1];
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}

function oneOf(values: readonly string[]): string {
  return values
    .map((value) => `"${value}"`)
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1');
}
