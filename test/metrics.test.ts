import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {exportedName, metrics, type Metric} from '../src/metrics.ts';

const all: readonly Metric[] = Object.values(metrics);

/** What can be asked for: a histogram by its three series. */
const series = all.flatMap((metric) => {
  const name = exportedName(metric);
  return metric.kind === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
});

test('every metric that the shipped alert rules name is one of ours, and every label by which they sum', () => {
  const rules = read('deploy/prometheus/freshet-alerts.yml');
  const named = [...rules.matchAll(/\bfreshet_\w+/g)].map(([name]) => name);
  expect(new Set(named).size).toBeGreaterThan(4);
  expect(named.filter((name) => !series.includes(name))).toEqual([]);
  const labels = [...rules.matchAll(/by \(([\w, ]+)\)/g), ...rules.matchAll(/\{(\w+)=/g)].flatMap(([, list = '']) =>
    list.split(', '),
  );
  expect(labels.length).toBeGreaterThan(5);
  // Prometheus itself gives each series its job.
  const known = new Set(['job', ...all.flatMap((metric) => metric.labels)]);
  expect(labels.filter((label) => !known.has(label))).toEqual([]);
});

test('docs/alerts.md describes every metric by the name it is exported under, and no other', () => {
  const documented = [...read('docs/alerts.md').matchAll(/^\| `(freshet_\w+)` +\| +(?:`([^`]+)`)? +\|/gm)];
  expect(Object.fromEntries(documented.map(([, name, labels = '']) => [name, labels]))).toEqual(
    Object.fromEntries(all.map((metric) => [exportedName(metric), metric.labels.join(', ')])),
  );
});

function read(file: string): string {
  return readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
}
