import {parseArgs} from 'node:util';
import {views} from './views.ts';

export const usage = `npm run bench -- --sf 0.1|1|10 [--rates PERCENT,…] [--quick]

Changes TPC-H tables on a real lake and brings views over them up to date in three ways, in turn within one run: by an incremental
refresh, by recomputation with the same engine, and by delete-and-insert SQL written by hand. After each change every table is
compared with its query; one that differs voids the run.

  --sf N       TPC-H scale factor, 0.1 (all views), 1 or 10 (three of them)
  --rates P,…  what share of the orders, lines or customers a batch changes, in percent (0.01,0.1,1,10 at 0.1; 0.1,1 at 1; 0.1 at 10)
  --quick      one rate and three rounds: a first look, in less than five minutes

Results are written to bench/results/ as JSON, Markdown and SVG. Exit code 0: sound, 1: void, 2: it could not go on.`;

export type Options = {
  readonly scaleFactor: number;
  /** In percent. */
  readonly rates: readonly number[];
  /** How often each batch is played and counted. */
  readonly rounds: number;
  readonly isQuick: boolean;
  /** Names. */
  readonly views: readonly string[];
};

const scaleFactors = [0.1, 1, 10];

/** Null: help was asked for. */
export function readOptions(args: readonly string[]): Options | null {
  const {values} = parseArgs({
    args: [...args],
    options: {
      sf: {type: 'string', default: '0.1'},
      rates: {type: 'string'},
      quick: {type: 'boolean', default: false},
      help: {type: 'boolean', default: false},
    },
  });
  if (values.help) return null;
  const scaleFactor = Number(values.sf);
  const rates = values.rates?.split(',').map(Number) ?? ratesOf(scaleFactor, values.quick);
  const areRight = rates.length > 0 && rates.every((rate) => rate > 0 && rate <= 10);
  if (!scaleFactors.includes(scaleFactor) || !areRight) throw new Error(usage);
  const played = views.filter(({isLarge}) => scaleFactor < 1 || isLarge).map(({name}) => name);
  return {scaleFactor, rates, rounds: values.quick ? 3 : 5, isQuick: values.quick, views: played};
}

function ratesOf(scaleFactor: number, isQuick: boolean): readonly number[] {
  if (isQuick || scaleFactor === 10) return [0.1];
  return scaleFactor === 1 ? [0.1, 1] : [0.01, 0.1, 1, 10];
}
