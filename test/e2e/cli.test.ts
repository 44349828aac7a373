import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {exitCodes} from '../../src/cli/exit-code.ts';
import {aDevFolder, type DevFolder, type Said} from '../support/freshet.ts';

/** The real command against the real stack of `freshet dev`. */
let dev: DevFolder;
beforeAll(async () => {
  dev = await aDevFolder();
  await ok(
    'sql',
    `create table orders as
       select i as id, 'region ' || i % 50 as region, i % 10 as amount from range(1000) t(i);
     create table regions as select 'region ' || i as region, i as manager from range(50) t(i)`,
  );
});
afterAll(() => dev[Symbol.asyncDispose]());

const lag = "target_lag = '1 day'";
const ctrlC = '\u0003';

async function ok(...args: readonly string[]): Promise<string> {
  const {status, out, err} = await dev.freshet(args);
  expect(status, err).toBe(0);
  return out;
}

/** The answer under --json. */
async function json(...args: readonly string[]): Promise<unknown> {
  return JSON.parse(await ok(...args, '--json')) as unknown;
}

test('from CREATE to a second refresh', async () => {
  expect(
    await json(
      'create',
      `create dynamic table totals ${lag} as select region, sum(amount) as total from orders group by region`,
    ),
  ).toMatchObject({
    table: 'main.totals',
    outcome: 'created',
    columns: [{name: 'region'}, {name: 'total'}],
    sources: ['main.orders'],
    mode: 'incremental',
    reasons: [],
    refresh: {outcome: 'refreshed', refresh: {action: 'INITIAL', rows: 50}},
  });

  await ok('sql', "insert into orders values (1000, 'region 7', 1000)");
  expect(await json('refresh', 'totals')).toMatchObject({
    table: 'main.totals',
    outcome: 'refreshed',
    refresh: {action: 'INCREMENTAL', changedRows: 1, affectedKeys: 1, rowsDeleted: 1, rowsInserted: 1, rows: 50},
  });
  expect(await json('sql', "select total::int from totals where region = 'region 7'")).toMatchObject({
    results: [{kind: 'rows', rows: [[1140]]}],
  });

  expect(await json('refresh', 'totals')).toMatchObject({outcome: 'no-data'});
  expect(await json('refresh', 'totals', '--full')).toMatchObject({
    refresh: {action: 'FULL', reason: expect.any(String)},
  });
  expect(await json('verify', 'totals')).toMatchObject({
    verdict: 'equal',
    rows: 50,
    missing: 0,
    unexpected: 0,
    differences: [],
  });
});

test('a refresh that is not waited for names its workflow', async () => {
  await ok('create', `create dynamic table not_awaited ${lag} as select id from orders`);
  expect(await json('refresh', 'not_awaited', '--no-wait')).toEqual({
    table: 'not_awaited',
    workflowId: expect.stringContaining('not_awaited'),
    runId: expect.any(String),
  });
});

test('Ctrl-C cancels a refresh for a person who says so, and leaves it in a pipe', async () => {
  const slow =
    'select count(*) as n from orders as a, orders as b, orders as c, orders as d where hash(a.id, b.id, c.id, d.id) % 7 = 3';
  await ok('create', `create dynamic table slow ${lag} refresh_mode = full initialize = on_schedule as ${slow}`);
  const asked = await dev.terminal(['sql', 'alter dynamic table slow refresh; select 42'], 24, [
    ['publish: recompute', ctrlC],
    ['[cancel/LEAVE]', 'c\r'],
  ]);
  expect(asked.status, asked.out).toBe(exitCodes.cancelled);
  expect(asked.out).toContain('It was cancelled.');
  expect(asked.out).not.toContain('42');
  const {status, out, err} = await dev.interrupted(['refresh', 'slow'], 'Refreshing: publish');
  expect(status, err).toBe(exitCodes.cancelled);
  expect(out).toMatch(
    /^The refresh of slow goes on\. It is ended by: temporal workflow cancel --workflow-id \S+slow\S+$/m,
  );
  expect(err).not.toContain('error');
  // What runs is seen by a person, and by a program.
  const watched = await dev.terminal(['watch'], 24, [['publish: recompute', ctrlC]]);
  expect([watched.status, watched.out]).toEqual([0, expect.stringContaining('1 running')]);
  // The cursor, and the screen as it was.
  expect(watched.out).toContain('\u001B[?25h\u001B[?1049l');
  const told = await dev.interrupted(['watch', '--json'], 'main.slow');
  expect(told.out.split('\n').map((line) => (line === '' ? null : (JSON.parse(line) as unknown)))).toContainEqual(
    expect.objectContaining({table: 'main.slow', running: expect.objectContaining({phase: 'publish'})}),
  );
  // Which cancels it.
  await ok('drop', 'slow');
  expect(await json('history', 'slow')).toMatchObject({
    refreshes: [{errorCode: 'cancelled'}, {errorCode: 'cancelled'}],
  });
  const creating = await dev.terminal(['create', `create dynamic table slow ${lag} as ${slow}`], 24, [
    ['publish', ctrlC],
    ['[cancel/LEAVE]', 'c\r'],
  ]);
  expect(creating.status, creating.out).toBe(exitCodes.cancelled);
  expect((await dev.freshet(['describe', 'slow'])).status).toBe(exitCodes.unknown_dynamic_table);
});

test('statements come from a file and from standard input, several at once, ours among them', async () => {
  const statements = `
    -- one of ours between two of DuckDB's
    create table colours as select 'red' as name;
    create dynamic table bright ${lag} as select name || '!' as name from colours;
    insert into colours values ('blue');
    alter dynamic table bright refresh;
    alter dynamic table bright set comment = 'for the shop';
    alter dynamic table bright rename to shiny;
    show dynamic tables like 'shin_';
    from shiny order by name;
    drop dynamic table shiny;`;
  const {status, out, err} = await dev.freshet(['sql', '--json'], statements);
  expect(status, err).toBe(0);
  const {results} = JSON.parse(out) as {results: {kind: string}[]};
  expect(results.map(({kind}) => kind)).toEqual([
    ...['done', 'create', 'changed', 'refresh', 'alter', 'alter', 'show', 'rows', 'drop'],
  ]);
  expect(results[6]).toMatchObject({result: [{table: 'main.shiny', targetLag: '1 day'}]});
  expect(results[7]).toMatchObject({rows: [['blue!'], ['red!']]});
});

test('a table is altered, suspended and resumed by commands', async () => {
  await ok('create', `create dynamic table controlled ${lag} as select id from orders`);
  const altered = await json('alter', 'controlled', '--target-lag', '2 days', '--comment', "it's for people");
  expect(altered).toMatchObject({table: 'main.controlled', outcome: 'altered', mode: 'incremental'});
  expect(await ok('suspend', 'controlled')).toMatch(/^Suspended main\.controlled: .*freshet resume main\.controlled/);
  const described = await json('describe', 'controlled');
  expect(described).toMatchObject({state: 'suspended', targetLag: '2 days', comment: "it's for people"});
  expect(await json('resume', 'controlled')).toMatchObject({outcome: 'resumed'});
  const {status, err} = await dev.freshet(['alter', 'controlled', '--refresh-mode', 'sometimes']);
  expect([status, err]).toEqual([exitCodes.invalid_option, expect.stringContaining('AUTO, INCREMENTAL or FULL')]);
});

test('looking at tables', async () => {
  await ok(
    'create',
    `create dynamic table looked_at ${lag} comment = 'for people' as select id from orders where id < 500`,
  );
  await ok('create', `create dynamic table reader target_lag = downstream as select count(*) as n from looked_at`);
  expect(await json('list')).toMatchObject({
    tables: expect.arrayContaining([
      expect.objectContaining({
        table: 'main.looked_at',
        state: 'active',
        targetLag: '1 day',
        mode: 'incremental',
        rows: 500,
      }),
    ]),
  });
  expect(await json('describe', 'looked_at')).toMatchObject({
    table: 'main.looked_at',
    comment: 'for people',
    readers: ['main.reader'],
    schedule: {id: 'dynamic-table:main.looked_at', paused: false},
    history: expect.arrayContaining([expect.objectContaining({action: 'INITIAL', trigger: 'create'})]),
  });
  const {refreshes} = (await json('history', 'looked_at', '--limit', '1')) as {refreshes: unknown[]};
  expect(refreshes).toEqual([
    expect.objectContaining({table: 'main.looked_at', statements: expect.any(Array), phases: expect.any(Object)}),
  ]);
  expect(await json('explain', 'looked_at')).toMatchObject({
    table: 'main.looked_at',
    mode: 'incremental',
    relation: expect.stringContaining('scan main.orders'),
    statements: expect.arrayContaining([{label: expect.any(String), sql: expect.any(String)}]),
  });
  expect(await json('explain', 'select rank() over (order by amount) as place from orders')).toMatchObject({
    table: null,
    mode: 'full',
    reasons: [expect.stringContaining('window')],
    statements: [],
  });
  const [list, details] = [await ok('list'), await ok('describe', 'looked_at')];
  expect(list).toMatch(/main\.looked_at\s+1 day/);
  const {status, out, err} = await dev.interrupted(['watch'], 'main.looked_at');
  expect(status, err).toBe(0);
  expect(out).toMatch(
    /^\S+Z main\.looked_at active, lag \d+ \w+ of 1 day, last refresh [A-Z_]+, rows 500, next run \S+Z$/m,
  );
  expect(details).toContain('select id from orders where id < 500');
});

test('a dry run creates nothing', async () => {
  expect(
    await json('create', '--dry-run', `create dynamic table imagined ${lag} as select id from orders`),
  ).toMatchObject({
    outcome: 'dry-run',
    refresh: null,
  });
  expect((await dev.freshet(['describe', 'imagined'])).status).toBe(exitCodes.unknown_dynamic_table);
});

test('files of statements are checked before any of them is run', async () => {
  const statements = `\uFEFFcreate dynamic table counted ${lag} as select count(*) as n, max(totl) as most from summed;
    create dynamic table summed ${lag} as select region, sum(amount) as total from orders group by region;`;
  const {status, out} = await dev.freshet(['validate', '-', '--json'], statements);
  expect(status).toBe(exitCodes.unknown_column);
  expect(JSON.parse(out)).toMatchObject({
    statements: [
      {file: '-', line: 1, column: 1, reads: ['main.summed'], error: {position: {line: 1, column: 80}}},
      {table: 'main.summed', reads: ['main.orders'], mode: 'incremental', error: null},
    ],
    order: ['main.summed', 'main.counted'],
  });
  const right = await dev.shell(
    `mkdir -p tables/deep && echo "${statements.replace('totl', 'total')}" > tables/deep/a.sql && npx freshet validate tables`,
  );
  expect([right.status, right.out]).toEqual([0, expect.stringContaining('in this order: main.summed, main.counted')]);
});

test('rows written by others are noticed by the next refresh', async () => {
  await ok('create', `create dynamic table meddled ${lag} as select id from orders`);
  await ok('sql', 'insert into meddled values (-1)');
  expect(await json('refresh', 'meddled')).toMatchObject({
    refresh: {action: 'FULL', reason: expect.stringContaining('wrote')},
  });
  await ok('verify', 'meddled');
});

test('verify shows the first rows that differ, and ends with 3', async () => {
  await ok('create', `create dynamic table dice ${lag} refresh_mode = full as select random() as r from orders`);
  const {status, out} = await dev.freshet(['verify', 'dice', '--json']);
  expect(status).toBe(3);
  const {verdict, differences, columns} = JSON.parse(out) as {
    verdict: string;
    differences: unknown[];
    columns: string[];
  };
  expect([verdict, differences.length, columns]).toEqual(['different', 10, ['r']]);
});

describe('errors', () => {
  async function fails(...args: readonly string[]): Promise<Said> {
    return dev.freshet(args);
  }

  test.each<[keyof typeof exitCodes, string, string]>([
    ['syntax', `create dynamic table e ${lag} as selec 1`, 'selec'],
    ['syntax', `create dynamic table e ${lag}`, 'AS'],
    ['unknown_option', `create dynamic table e targetlag = '1 day' as select 1 as a`, 'TARGET_LAG'],
    ['invalid_option', `create dynamic table e target_lag = '1 s' as select 1 as a`, '10 seconds'],
    ['unknown_source', `create dynamic table e ${lag} as select id from ordesr`, 'orders'],
    ['unknown_column', `create dynamic table e ${lag} as\nselect regoin from orders`, 'region'],
    ['ambiguous_name', `create dynamic table e ${lag} as select region from orders join regions on true`, 'region'],
    ['forbidden_query', `create dynamic table e ${lag} as select * from read_csv('/etc/passwd')`, 'read_csv'],
    ['volatile_function', `create dynamic table e ${lag} as select random() as r from orders`, 'random'],
    [
      'not_incremental',
      `create dynamic table e ${lag} refresh_mode = incremental as select id from orders limit 3`,
      'LIMIT',
    ],
    ['dependency_cycle', `create dynamic table e ${lag} as select * from e`, 'e'],
    ['already_exists', `create dynamic table orders ${lag} as select 1 as a`, 'orders'],
  ])('%s: %s', async (code, statement, hint) => {
    const {status, err} = await fails('create', statement);
    expect(err).toContain(`Error (${code})`);
    expect(err).toContain(hint);
    expect(status).toBe(exitCodes[code]);
  });

  test('a mistake in a query is shown in its line, with a caret', async () => {
    const {err} = await fails('create', `create dynamic table e ${lag} as\nselect regoin from orders`);
    expect(err).toContain(`  2 | select regoin from orders\n    |        ^`);
  });

  test('a mistake in the second of several statements is shown where it is in the whole', async () => {
    const {status, err} = await fails('sql', `select 1;\n  create dynamic table e target_lag = '1 s' as select 1`);
    expect(status).toBe(exitCodes.invalid_option);
    expect(err).toContain(`  2 |   create dynamic table e target_lag = '1 s'`);
  });

  test('under --json an error is one document', async () => {
    const {status, err} = await fails(
      'create',
      '--json',
      `create dynamic table e ${lag} as\nselect regoin from orders`,
    );
    expect(status).toBe(exitCodes.unknown_column);
    expect(JSON.parse(err)).toMatchObject({error: {code: 'unknown_column', position: {line: 2, column: 8}}});
  });

  test('an unknown dynamic table is told with the nearest name', async () => {
    await ok('create', `create dynamic table deliveries ${lag} as select id from orders`);
    for (const command of ['describe', 'refresh', 'resume', 'verify', 'drop', 'history', 'explain']) {
      const {status, err} = await fails(command, 'delivereis');
      expect(err, command).toContain('deliveries');
      expect(status, command).toBe(exitCodes.unknown_dynamic_table);
    }
    await ok('drop', '--if-exists', 'delivereis');
  });

  test('a table that is read is not dropped', async () => {
    await ok('create', `create dynamic table base ${lag} as select id from orders`);
    await ok('create', `create dynamic table over_base ${lag} as select count(*) as n from base`);
    const {status, err} = await fails('drop', 'base');
    expect(err).toContain('over_base');
    expect(status).toBe(exitCodes.has_readers);
  });

  test("plain SQL fails with our codes and DuckDB's words", async () => {
    expect(await fails('sql', 'selec 1')).toMatchObject({
      status: exitCodes.syntax,
      err: expect.stringContaining('  1 | selec 1\n    | ^'),
    });
    expect(await fails('sql', 'from ordesr')).toMatchObject({status: exitCodes.unknown_source});
    expect(await fails('sql', "select 'a'::int")).toMatchObject({status: exitCodes.data_error});
  });

  test('a call that makes no sense ends with 2', async () => {
    expect(await fails('lst')).toMatchObject({status: 2, err: expect.stringContaining('Did you mean list?')});
    expect(await fails('list', '--jsn')).toMatchObject({
      status: 2,
      err: expect.stringContaining('Did you mean --json?'),
    });
    expect(await fails('refresh')).toMatchObject({
      status: 2,
      err: expect.stringContaining("missing required argument 'table'"),
    });
    expect(await fails('create', 'select 1', '--file', 'x.sql')).toMatchObject({status: 2});
  });
});

test('where nothing runs and nothing is configured, a command says what to do', async () => {
  const {status, err} = await dev.shell(`cd / && env -u FRESHET_LAKE "$OLDPWD"/node_modules/.bin/freshet list`);
  expect(err).toContain('freshet dev');
  expect(status).toBe(exitCodes.unavailable);
});

test('a reader that stops early ends no command with a complaint', async () => {
  const rows = `npx freshet sql "from range(100000) t(number)" --json`;
  expect(await dev.shell(`{ ${rows}; echo "status $?" >&2; } | head -n 3`)).toMatchObject({
    out: expect.stringContaining('"results"'),
    err: 'status 0\n',
  });
});

test('every command explains itself with an example, and says nothing in colour to a pipe', async () => {
  const help = await ok('--help');
  expect(await ok('help')).toBe(help);
  expect(await ok('help', 'list')).toBe(await ok('list', '--help'));
  for (const command of [
    'dev',
    'worker',
    'sql',
    'create',
    'drop',
    'refresh',
    'resume',
    'verify',
    'list',
    'describe',
    'history',
    'explain',
  ]) {
    expect(help).toContain(`  ${command}`);
    expect(await ok(command, '--help')).toMatch(/Examples?:\n {2}\$ /);
  }
  expect(await ok('list')).not.toContain('\u001b[');
});
