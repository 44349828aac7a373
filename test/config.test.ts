import {expect, test} from 'vitest';
import {readClientConfig, readConfig} from '../src/config.ts';
import {FreshetError} from '../src/errors.ts';
import {configVariables} from '../src/variables.ts';

const lake = 'postgresql://freshet:s3cret@127.0.0.1:5432/lake';
const enough = {FRESHET_LAKE: lake, FRESHET_LAKE_DATA_PATH: '/data/lake'};

function problems(environment: Record<string, string>): string {
  try {
    readConfig(environment);
    return 'none';
  } catch (error) {
    if (error instanceof FreshetError && error.code === 'invalid_configuration') return error.message;
    throw error;
  }
}

test('a lake is all that must be configured', () => {
  expect(readConfig(enough)).toMatchObject({
    lake: {catalog: lake, dataPath: '/data/lake', metadataSchema: 'public', name: 'lake'},
    metadataUrl: lake,
    stagingPath: '/data/lake.staging',
    computeConcurrency: 2,
    heartbeatSeconds: 10,
    metricsAddress: undefined,
    healthAddress: undefined,
    alerts: undefined,
    log: {level: 'info', format: 'json'},
    prefix: '',
    taskQueue: 'freshet',
    isMigrating: false,
    shutdownGraceSeconds: 30,
  });
});

test.each(['alerts.example/freshet', 'ftp://alerts.example', 'https://me:s3cret@alerts.example'])(
  'alerts can not go to %s, of which no more is said than its scheme',
  (address) => {
    const text = problems({...enough, FRESHET_ALERT_URL: address});
    expect(text).toContain('it should be "http://host/path" or "https://host/path", without a user');
    expect(text).not.toContain('alerts.example');
    expect(text).not.toContain('s3cret');
  },
);

test('every variable is read', () => {
  const config = readConfig({
    ...enough,
    FRESHET_LAKE_NAME: 'flights',
    FRESHET_LAKE_METADATA_SCHEMA: 'catalog',
    FRESHET_METADATA_URL: 'postgresql://db/other',
    FRESHET_STAGING_PATH: 's3://bucket/staging',
    FRESHET_DUCKDB_THREADS: '3',
    FRESHET_DUCKDB_MEMORY_LIMIT: '1.5GiB',
    FRESHET_DUCKDB_TEMP_DIRECTORY: '/spill',
    FRESHET_COMPUTE_CONCURRENCY: '6',
    UV_THREADPOOL_SIZE: '8',
    FRESHET_HEARTBEAT_SECONDS: '5',
    FRESHET_METRICS_ADDRESS: '127.0.0.1:9464',
    FRESHET_HEALTH_ADDRESS: '[::]:8080',
    FRESHET_ALERT_URL: 'https://alerts.example/freshet',
    FRESHET_ALERT_SECRET: 'hush',
    FRESHET_LOG_LEVEL: 'debug',
    FRESHET_LOG_FORMAT: 'text',
    FRESHET_PREFIX: 'test-',
    FRESHET_TASK_QUEUE: 'warehouse',
    FRESHET_MIGRATE: 'true',
    FRESHET_SHUTDOWN_GRACE_SECONDS: '0',
    TEMPORAL_ADDRESS: 'temporal:7233',
    TEMPORAL_NAMESPACE: 'lakes',
  });
  expect(config).toMatchObject({
    temporal: {namespace: 'lakes', connectionOptions: {address: 'temporal:7233'}},
    metadataUrl: 'postgresql://db/other',
    prefix: 'test-',
    taskQueue: 'warehouse',
    lake: {catalog: lake, dataPath: '/data/lake', metadataSchema: 'catalog', name: 'flights'},
    stagingPath: 's3://bucket/staging',
    duckdb: {threads: 3, memoryLimitBytes: 1.5 * 2 ** 30, tempDirectory: '/spill'},
    computeConcurrency: 6,
    heartbeatSeconds: 5,
    metricsAddress: '127.0.0.1:9464',
    healthAddress: '[::]:8080',
    alerts: {url: 'https://alerts.example/freshet', secret: 'hush'},
    log: {level: 'debug', format: 'text'},
    isMigrating: true,
    shutdownGraceSeconds: 0,
  });
});

test('a configuration is frozen', () => {
  const config = readConfig(enough);
  expect([config, config.lake, config.duckdb, config.log].every((part) => Object.isFrozen(part))).toBe(true);
});

test('an empty variable counts as not set', () => {
  const empty = {FRESHET_LAKE_NAME: '', FRESHET_METADATA_URL: '', TEMPORAL_API_KEY: ''};
  const {lake, temporal} = readConfig({...enough, ...empty});
  expect(lake.name).toBe('lake');
  expect(temporal).toEqual(readConfig(enough).temporal);
});

test('certificates by which Temporal is never reached are told at once, without what they hold', () => {
  const [half, both, authority, nowhere] = [
    {TEMPORAL_TLS_CLIENT_CERT_DATA: 'CANARY'},
    {TEMPORAL_TLS_CLIENT_CERT_DATA: 'CANARY', TEMPORAL_TLS_CLIENT_KEY_DATA: 'CANARY'},
    {TEMPORAL_TLS_SERVER_CA_CERT_DATA: 'CANARY'},
    {TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/nowhere.pem'},
  ].map((tls) => problems({...enough, TEMPORAL_ADDRESS: 'temporal:7233', ...tls}));
  expect(half).toContain('a client certificate without its key');
  expect(both).toContain("the client certificate or its key can't be used");
  expect(authority).toContain("the certificate of the server's authority can't be used");
  expect(nowhere).toContain('/nowhere.pem');
  expect([half, both, authority].join()).not.toContain('CANARY');
});

test('all wrong values are named at once, with what they should be', () => {
  expect(
    problems({
      FRESHET_LAKE_DATA_PATH: '/data/lake',
      FRESHET_DUCKDB_THREADS: 'four',
      FRESHET_DUCKDB_MEMORY_LIMIT: '12 elephants',
      FRESHET_LOG_LEVEL: 'loud',
      FRESHET_METRICS_ADDRESS: '9464',
      FRESHET_PREFIX: 'a b',
    }).split('\n'),
  ).toEqual([
    'The configuration is wrong:',
    '  FRESHET_LAKE is missing; it should be "ducklake:postgres:dbname=…", "postgres:dbname=…" or "postgresql://…".',
    '  FRESHET_DUCKDB_THREADS is "four"; it should be a whole number from 1 to 1024.',
    '  FRESHET_DUCKDB_MEMORY_LIMIT is "12 elephants"; it should be at least 256MiB, such as "4GiB" or "500MB".',
    '  FRESHET_METRICS_ADDRESS is "9464"; it should be "host:port", such as "127.0.0.1:9464".',
    '  FRESHET_LOG_LEVEL is "loud"; it should be "trace", "debug", "info", "warn" or "error".',
    '  FRESHET_PREFIX is "a b"; it should be at most 40 letters, digits, "-" and "_".',
  ]);
});

test.each([
  ['ducklake:lake.ducklake', 'begins with "ducklake:"'],
  ['ducklake:sqlite:lake.db', 'begins with "ducklake:sqlite:"'],
  ['ducklake:mysql:db=lake', 'begins with "ducklake:mysql:"'],
  ['md:lake', 'begins with "md:"'],
  ['postgres:lake', 'begins with "postgres:"'],
  ['/data/lake', 'has no scheme'],
  ['foo', 'has no scheme'],
  ['freshet:s3cret@db/lake', 'begins with no scheme that is known'],
])('a lake whose catalog is not in PostgreSQL is refused, and told by its beginning alone: %s', (catalog, found) => {
  expect(problems({...enough, FRESHET_LAKE: catalog}).split('\n')).toContain(
    `  FRESHET_LAKE ${found}; it should be "ducklake:postgres:dbname=…", "postgres:dbname=…" or "postgresql://…".`,
  );
});

test.each(['ducklake:postgres:host=db dbname=lake', 'postgres:host=db dbname=lake'])(
  'a catalog given by keywords needs the address of the metadata beside it: %s',
  (catalog) => {
    expect(problems({...enough, FRESHET_LAKE: catalog})).toContain(
      'FRESHET_METADATA_URL is missing, and FRESHET_LAKE is no address to take it from',
    );
    expect(problems({...enough, FRESHET_LAKE: catalog, FRESHET_METADATA_URL: lake})).toBe('none');
  },
);

test.each(['/data/lake', '/data/lake/', '/data/lake/staging', '/data/other/../lake/x'])(
  'staging inside of the data path is refused: %s',
  (staging) => {
    expect(problems({...enough, FRESHET_STAGING_PATH: staging})).toContain('outside of FRESHET_LAKE_DATA_PATH');
  },
);

test('staging is named where the data path is remote', () => {
  const remote = {...enough, FRESHET_LAKE_DATA_PATH: 's3://bucket/lake/'};
  expect(problems(remote)).toContain('FRESHET_STAGING_PATH is missing.');
  expect(problems({...remote, FRESHET_STAGING_PATH: 's3://bucket/lake/staging'})).toContain('outside of');
  expect(problems({...remote, FRESHET_STAGING_PATH: 's3://bucket/lake-staging'})).toBe('none');
});

test("refreshes that compute at once leave two of Node's pool threads", () => {
  expect(problems({...enough, FRESHET_COMPUTE_CONCURRENCY: '3'})).toContain(
    'it should be at most 2, or UV_THREADPOOL_SIZE at least 5',
  );
  expect(problems({...enough, FRESHET_COMPUTE_CONCURRENCY: '3', UV_THREADPOOL_SIZE: '5'})).toBe('none');
});

test('a wrong value that holds a password is not shown', () => {
  const message = problems({
    ...enough,
    FRESHET_METADATA_URL: 'mysql://me:s3cret@db/x',
    FRESHET_LAKE: 'mysql:password=s3cret',
  });
  expect(message).toContain(
    'FRESHET_METADATA_URL begins with "mysql:"; it should be "postgresql://user:password@host:port/database"',
  );
  expect(message).not.toContain('s3cret');
});

test('an address of PostgreSQL has two slashes', () => {
  expect(problems({...enough, FRESHET_METADATA_URL: 'postgres:5432'})).toContain(
    'FRESHET_METADATA_URL begins with "postgres:"; it should be "postgresql://user:password@host:port/database"',
  );
});

test('passwords are taken out of a text', () => {
  const {scrub} = readConfig({...enough, FRESHET_METADATA_URL: 'postgresql://me:h%40rd@db/x'});
  const message = scrub(`no route to ${lake}, nor postgresql://me:h%40rd@db/x; tried "s3cret" and "h@rd"`);
  expect(message).toContain('no route to');
  for (const secret of ['s3cret', 'h@rd', 'h%40rd']) expect(message).not.toContain(secret);
});

test('a client needs neither a lake nor DuckDB', () => {
  expect(
    readClientConfig({FRESHET_METADATA_URL: lake, FRESHET_PREFIX: 'a-', FRESHET_DUCKDB_THREADS: 'x'}),
  ).toMatchObject({
    metadataUrl: lake,
    prefix: 'a-',
  });
  expect(readClientConfig({}).metadataUrl).toBeUndefined();
  expect(readClientConfig({FRESHET_LAKE: lake}).metadataUrl).toBe(lake);
});

test('every variable says what it is for and what holds without it', () => {
  expect(configVariables.filter(({description, standard}) => !description || standard === 'undefined')).toEqual([]);
});
