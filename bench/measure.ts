import {batchesOver, type Batch, type Draw} from './batches.ts';
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
  const kept = await prepare(ground, names, watch);
  const batches = batchesOver(generated);
  const share = rate / 100;
  for (const round of [rounds, rounds + 1]) await warmUp(ground, kept, batches[0]!, {share, round, rounds}); // There are five.
  const samples: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    say(`${rate} %: round ${round + 1} of ${rounds}`);
    for (const batch of batches) {
      await change(ground, batch.statements({share, round, rounds}));
      for (const {view, ways} of kept.filter((each) => concerns(batch, each.view))) {
        const runs = await inTurn(ways, batch, round);
        const wrong = await wrongTables(ground.writer, view);
        const when = `after ${batch.name} of ${rate} %, round ${round + 1}`;
        if (wrong.length > 0) return {samples, wrong: wrong.map((each) => `${each} (${when})`)};
        samples.push({rate, batch, view, runs: isProfiled({batch, view}) ? runs : withoutStatements(runs)});
      }
    }
  }
  return {samples, wrong: []};
}

type Kept = {readonly view: View; readonly ways: Ways};

async function prepare(ground: Ground, names: readonly string[], watch: Watch): Promise<readonly Kept[]> {
  await prepareSchemas(ground);
  const kept: Kept[] = [];
  for (const view of views)
    if (names.includes(view.name)) kept.push({view, ways: await prepareWays(ground, view, watch)});
  return kept;
}

/** Binds plans and fills caches, before anything counts. Twice: what is merged into is kept from the second change on. */
async function warmUp(ground: Ground, kept: readonly Kept[], batch: Batch, draw: Draw): Promise<void> {
  await change(ground, batch.statements(draw));
  for (const {ways} of kept) for (const name of wayNames) await ways[name](batch);
}

export function concerns({changes}: Batch, {reads}: View): boolean {
  return reads.some((source) => changes.includes(source));
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
