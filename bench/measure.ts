import {batchesOver, type Batch} from './batches.ts';
import {generated} from './data.ts';
import {openGround, type Ground, type Site} from './ground.ts';
import {wrongTables} from './judge.ts';
import type {Options} from './options.ts';
import {isProfiled} from './profile.ts';
import type {Watch} from './statements.ts';
import {views, type View} from './views.ts';
import {prepareSchemas, prepareWays, wayNames, type Run, type WayName, type Ways} from './ways.ts';

/** One view brought up to date after one batch, in each of the three ways. */
export type Sample = {
  /** In percent. */
  readonly rate: number;
  readonly batch: Batch;
  readonly view: View;
  readonly runs: Readonly<Record<WayName, Run>>;
};

export type Measured = {
  readonly samples: readonly Sample[];
  /** Tables that differ from their query, and after what; none: the run is sound. */
  readonly wrong: readonly string[];
};

export type Say = (text: string) => void;

/** Plays every batch at every rate, each rate on a lake of its own. The first wrong table ends it. */
export async function measure(site: Site, options: Options, watch: Watch, say: Say): Promise<Measured> {
  const samples: Sample[] = [];
  for (const rate of options.rates) {
    say(`${rate} %: making the tables …`);
    const ground = await openGround(site, `rate_${String(rate).replace('.', '_')}`);
    try {
      const measured = await measureAt(ground, rate, options, watch, say);
      samples.push(...measured.samples);
      if (measured.wrong.length > 0) return {samples, wrong: measured.wrong};
    } finally {
      await ground.leave();
    }
  }
  return {samples, wrong: []};
}

/** Plays every batch at one rate. */
export async function measureAt(
  ground: Ground,
  rate: number,
  {views: names, rounds}: Pick<Options, 'views' | 'rounds'>,
  watch: Watch,
  say: Say,
): Promise<Measured> {
  const samples: Sample[] = [];
  const kept = await prepare(
    ground,
    views.filter(({name}) => names.includes(name)),
    watch,
  );
  for await (const sample of play(ground, kept, rate, rounds, say)) {
    if ('wrong' in sample) return {samples, wrong: sample.wrong};
    samples.push(sample);
  }
  return {samples, wrong: []};
}

type Kept = {readonly view: View; readonly ways: Ways};

async function prepare(ground: Ground, all: readonly View[], watch: Watch): Promise<readonly Kept[]> {
  await prepareSchemas(ground);
  const kept: Kept[] = [];
  for (const view of all) kept.push({view, ways: await prepareWays(ground, view, watch)});
  return kept;
}

/** The first batch, which every view reads, is played once before anything counts: it binds plans and fills caches. */
async function* play(
  ground: Ground,
  kept: readonly Kept[],
  rate: number,
  rounds: number,
  say: Say,
): AsyncGenerator<Sample | {readonly wrong: readonly string[]}> {
  const batches = batchesOver(generated);
  const share = rate / 100;
  for (const batch of batches.slice(0, 1)) {
    await change(ground, batch.statements({share, round: rounds, rounds}));
    for (const {ways} of kept) for (const name of wayNames) await ways[name](batch);
  }
  for (let round = 0; round < rounds; round++) {
    say(`${rate} %: round ${round + 1} of ${rounds}`);
    for (const batch of batches) {
      await change(ground, batch.statements({share, round, rounds}));
      for (const {view, ways} of kept.filter(({view: {reads}}) =>
        reads.some((table) => batch.changes.includes(table)),
      )) {
        const runs = await inTurn(ways, batch, round);
        const wrong = await wrongTables(ground.writer, view);
        if (wrong.length > 0) {
          yield {wrong: wrong.map((each) => `${each} (after ${batch.name} of ${rate} %, round ${round + 1})`)};
          return;
        }
        yield {rate, batch, view, runs: isProfiled({batch, view}) ? runs : withoutStatements(runs)};
      }
    }
  }
}

export async function change({writer}: Ground, statements: readonly string[]): Promise<void> {
  await writer.transaction(async () => {
    for (const statement of statements) await writer.run(statement);
  });
}

/** Who begins changes from round to round, for the first finds caches colder than the others. */
async function inTurn(ways: Ways, batch: Batch, round: number): Promise<Sample['runs']> {
  const first = round % wayNames.length;
  const order = [...wayNames.slice(first), ...wayNames.slice(0, first)];
  const runs = new Map<WayName, Run>();
  for (const name of order) runs.set(name, await ways[name](batch));
  return Object.fromEntries(runs) as Sample['runs']; // One for each name.
}

/** The texts of all statements of a long run would be the most that this process keeps in memory. */
function withoutStatements(runs: Sample['runs']): Sample['runs'] {
  const bare = (run: Run): Run => ({
    ...run,
    statements: [],
    refreshed: run.refreshed.map((refreshed) => ({...refreshed, statements: []})),
  });
  return {incremental: bare(runs.incremental), recomputation: bare(runs.recomputation), hand: bare(runs.hand)};
}
