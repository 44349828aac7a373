import * as Plot from '@observablehq/plot';
import {parseHTML} from 'linkedom';
import type {Case} from './result.ts';

const width = 1100;
const rowHeight = 62;
const ticks = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];

/**
 * How many times faster the incremental refresh is than the other ways: a panel for each view and batch, a line of dots for each rate.
 * To the left of 1 it is the slower one.
 */
export function chart(cases: readonly Case[], title: string): string {
  const {document} = parseHTML('<html></html>');
  const titles = [...new Set(cases.map((each) => each.title))];
  const rates = [...new Set(cases.map(({rate}) => rate))].toSorted((one, other) => other - one);
  const points = cases.flatMap((each) => {
    const place = {batch: each.batch, title: each.title, rate: `${each.rate} %`};
    return [
      {...place, rival: 'recomputation', times: each.recomputation.ms / each.incremental.ms},
      {...place, rival: 'hand-written SQL', times: each.hand.ms / each.incremental.ms},
    ];
  });
  const all = points.map(({times}) => times);
  const domain = [Math.min(0.8, ...all) * 0.9, Math.max(1.25, ...all) * 1.1] as const;
  const plot = Plot.plot({
    document,
    width,
    height: 90 + titles.length * (rowHeight + rates.length * 8),
    marginLeft: 60,
    marginRight: 150,
    marginTop: 50,
    marginBottom: 50,
    style: {background: 'white', fontSize: '12px'},
    facet: {data: points, x: 'batch', y: 'title', label: null},
    fx: {domain: [...new Set(cases.map(({batch}) => batch))]},
    fy: {domain: titles},
    x: {
      ...{type: 'log', domain, grid: true, tickFormat: String},
      ticks: ticks.filter((tick) => tick >= domain[0] && tick <= domain[1]),
      label: `${title}: times faster than recomputation (blue), than hand-written SQL (orange)`,
    },
    y: {type: 'point', domain: rates.map((rate) => `${rate} %`), label: null},
    color: {domain: ['recomputation', 'hand-written SQL'], range: ['#1f77b4', '#ff7f0e']},
    marks: [
      Plot.frame({stroke: '#bbb'}),
      Plot.ruleX([1], {stroke: '#555'}),
      Plot.dot(points, {x: 'times', y: 'rate', fill: 'rival', r: 4}),
    ],
  });
  return `${standalone(plot.outerHTML)}\n`;
}

/** A file of its own, not a part of a page. */
function standalone(svg: string): string {
  return svg.replace(/^<svg /, '<svg xmlns="http://www.w3.org/2000/svg" ');
}
