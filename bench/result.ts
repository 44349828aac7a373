import type {BatchName} from './batches.ts';
import type {Machine} from './machine.ts';
import type {Sample} from './measure.ts';
import type {Options} from './options.ts';
import type {ProfileLine} from './profile.ts';
import type {TemporalFigures} from './temporal.ts';
import type {Run} from './ways.ts';

/** All that a run found, as it is written to JSON. */
export type Result = {
  /** `void`: some table differed from its query, and no figure counts. */
  readonly verdict: 'sound' | 'void';
  readonly wrong: readonly string[];
  /** ISO 8601. */
  readonly startedAt: string;
  readonly options: Options;
  readonly machine: Machine;
  readonly cases: readonly Case[];
  readonly profile: readonly ProfileLine[];
  readonly temporal: TemporalFigures | null;
  readonly peakMemoryMiB: number;
  readonly seconds: number;
};

/** One view, one batch, one rate: the medians of all rounds. */
export type Case = {
  readonly rate: number;
  readonly batch: BatchName;
  readonly view: string;
  readonly title: string;
  readonly changedRows: number;
  readonly incremental: EngineFigures;
  readonly recomputation: EngineFigures;
  readonly hand: Figures;
};

export type Figures = {
  readonly ms: number;
  readonly rounds: readonly number[];
};

export type EngineFigures = Figures & {
  readonly outsideSqlMs: number;
  readonly rowsScanned: number;
  /** Of every table and round. */
  readonly actions: readonly string[];
  readonly reasons: readonly string[];
  readonly recomputed: readonly string[];
};

export function casesOf(samples: readonly Sample[]): readonly Case[] {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = `${sample.rate} ${sample.batch.name} ${sample.view.name}`;
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  return [...groups.values()].flatMap(caseOf);
}

function caseOf(samples: readonly Sample[]): readonly Case[] {
  const [first] = samples;
  if (first === undefined) return [];
  const {rate, batch, view} = first;
  const changed = samples.map(({runs}) => sumOf(runs.incremental, ({changedRows}) => changedRows));
  return [
    {
      ...{rate, batch: batch.name, view: view.name, title: view.title, changedRows: median(changed)},
      incremental: engineFigures(samples.map(({runs}) => runs.incremental)),
      recomputation: engineFigures(samples.map(({runs}) => runs.recomputation)),
      hand: figures(samples.map(({runs}) => runs.hand)),
    },
  ];
}

function figures(runs: readonly Run[]): Figures {
  const rounds = runs.map(({ms}) => tenths(ms));
  return {ms: median(rounds), rounds};
}

function engineFigures(runs: readonly Run[]): EngineFigures {
  const all = runs.flatMap(({refreshed}) => refreshed);
  return {
    ...figures(runs),
    outsideSqlMs: tenths(median(runs.map(({outsideSqlMs}) => outsideSqlMs))),
    rowsScanned: median(runs.map((run) => sumOf(run, ({rowsScanned}) => rowsScanned))),
    actions: unique(all.map(({action}) => action)),
    reasons: unique(all.flatMap(({reason}) => (reason === null ? [] : [reason]))),
    recomputed: unique(all.map(({recomputed}) => recomputed)),
  };
}

function sumOf({refreshed}: Run, of: (one: Run['refreshed'][number]) => number): number {
  return refreshed.reduce((sum, one) => sum + of(one), 0);
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

/** Of a few figures; the mean of the two in the middle where their number is even. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1);
  return middle.reduce((sum, number) => sum + number, 0) / Math.max(middle.length, 1);
}

export function geometricMean(numbers: readonly number[]): number {
  return Math.exp(numbers.reduce((sum, number) => sum + Math.log(number), 0) / Math.max(numbers.length, 1));
}

export function tenths(number: number): number {
  return Math.round(number * 10) / 10;
}
