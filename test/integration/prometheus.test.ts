import {execFile, spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {freePort} from '../../src/dev/free-port.ts';
import {exportedName, metrics} from '../../src/metrics.ts';
import {eventually} from '../support/eventually.ts';

const rules = path.resolve('deploy/prometheus/freshet-alerts.yml');
const isThere = ['prometheus', 'promtool'].every((program) => spawnSync(program, ['--version']).status === 0);
const needs = isThere ? '' : ' (skipped: it needs prometheus and promtool on the PATH, a package of Debian)';

test.skipIf(!isThere)(
  `promtool finds the shipped alert rules sound, and their alerts come and go in time${needs}`,
  async () => {
    const promtool = promisify(execFile);
    expect((await promtool('promtool', ['check', 'rules', rules])).stdout).toContain('SUCCESS: 7 rules found');
    const {stdout} = await promtool('promtool', [
      'test',
      'rules',
      path.resolve('test/integration/prometheus-rules.yml'),
    ]);
    expect(stdout).toContain('SUCCESS');
  },
);

test.skipIf(!isThere)(`Prometheus loads the shipped alert rules, and a suspended table fires one${needs}`, async () => {
  await using worker = await someMetrics([
    `${exportedName(metrics.tables)} 1`,
    `${exportedName(metrics.suspended)}{table="main.totals"} 1`,
  ]);
  await using prometheus = await aPrometheus(worker.address);
  type Answer = {data: {alerts: {state: string; labels: Record<string, string>}[]}};
  const {data} = await eventually(
    () => prometheus.ask<Answer>('alerts'),
    (answer) => answer.data.alerts.some(({state}) => state === 'firing'),
  );
  const firing = data.alerts.filter(({state}) => state === 'firing');
  expect(firing.map(({labels}) => labels)).toEqual([
    {alertname: 'FreshetTableSuspended', job: 'freshet', severity: 'critical', table: 'main.totals'},
  ]);
  type Rules = {data: {groups: {rules: {name: string; health: string}[]}[]}};
  const rulesOf = ({data: {groups}}: Rules) => groups.flatMap((group) => group.rules);
  // A rule has no health until it has been evaluated, each group at a moment of its own.
  const answer = await eventually(
    () => prometheus.ask<Rules>('rules'),
    (rules) => rulesOf(rules).every(({health}) => health !== 'unknown'),
  );
  const loaded = rulesOf(answer);
  expect(loaded).toHaveLength(7);
  expect(loaded.filter(({health}) => health !== 'ok')).toEqual([]);
});

/** A worker as Prometheus sees it. */
async function someMetrics(lines: readonly string[]): Promise<{readonly address: string} & AsyncDisposable> {
  const port = await freePort();
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(`${lines.join('\n')}\n`);
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** A Prometheus with the shipped rules that looks at `target` every second. */
async function aPrometheus(
  target: string,
): Promise<{readonly ask: <Answer>(question: string) => Promise<Answer>} & AsyncDisposable> {
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-prometheus-'));
  const config = path.join(folder, 'prometheus.yml');
  const jobs = [{job_name: 'freshet', static_configs: [{targets: [target]}]}];
  // JSON is YAML.
  await writeFile(
    config,
    JSON.stringify({
      global: {scrape_interval: '1s', evaluation_interval: '1s'},
      rule_files: [rules],
      scrape_configs: jobs,
    }),
  );
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--web.listen-address=${address}`,
      `--storage.tsdb.path=${path.join(folder, 'data')}`,
      '--log.level=error',
    ],
    {stdio: ['ignore', 'ignore', 'inherit']},
  );
  const ended = once(child, 'exit');
  await eventually(
    () => fetch(`http://${address}/-/ready`).catch(() => null),
    (response) => response?.ok === true || child.exitCode !== null,
  );
  return {
    // Whoever asks knows what Prometheus answers.
    ask: async <Answer>(question: string) =>
      (await (await fetch(`http://${address}/api/v1/${question}`)).json()) as Answer,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
      await rm(folder, {recursive: true, force: true});
    },
  };
}
