import {expect, test} from 'vitest';
import {Draws} from '../differential/draws.ts';
import {aLane, type Lane, type Statement} from './lane.ts';
import {isLong, seed} from './length.ts';

/*
 * Real workers, killed with SIGKILL while they refresh: at moments drawn from a seed, and right before each of their statements.
 * After every kill the next worker ends the refresh, and both tables are what their queries give, every change taken in once.
 *
 * `npm run faults` does a dozen kills; `FAULTS=long npm run faults` does 200, and one before each statement. `SEED` repeats a run's
 * draws.
 */

const lanes = 3;
const kills = isLong ? 200 : 12;

test(
  `workers killed at ${kills} random moments of a refresh leave each change applied once (seed ${seed})`,
  async () => {
    const survived: Statement[] = [];
    await inLanes(async (lane, number) => {
      const draws = Draws.seeded(seed + number);
      const started = performance.now();
      await lane.round(() => Promise.resolve());
      const milliseconds = performance.now() - started;
      for (let kill = number; kill < kills; kill += lanes) {
        const moment = (milliseconds * draws.below(1000)) / 1000;
        const last = await lane.round(async (worker) => {
          worker.watch();
          await new Promise((resolve) => setTimeout(resolve, moment));
          await worker.kill();
        });
        note(survived, last ?? {number: 0, activity: 'between', text: ''});
      }
    });
    report(`${kills} random moments`, survived);
    expect(survived).toHaveLength(kills);
  },
  isLong ? 3_600_000 : 240_000,
);

test.runIf(isLong)(
  'a worker killed right before any of its statements leaves each change applied once',
  async () => {
    const survived: Statement[] = [];
    let all = 0;
    await inLanes(async (lane, number) => {
      const count = (await lane.round((worker) => Promise.resolve(worker.watch())))?.number ?? 0;
      all = Math.max(all, count);
      const chosen = Array.from({length: count}, (_, i) => i + 1).filter((n) => n % lanes === number);
      for (const n of chosen) {
        const last = await lane.round((worker) => Promise.resolve(worker.dieBefore(n)));
        if (last?.number === n) note(survived, last);
      }
    });
    report(`before one of ${all} statements`, survived);
    expect(survived.length).toBeGreaterThan(all / 2);
  },
  3_600_000,
);

async function inLanes(work: (lane: Lane, number: number) => Promise<void>): Promise<void> {
  const ends = await Promise.allSettled(
    Array.from({length: lanes}, async (_, number) => {
      await using lane = await aLane(seed + number);
      await work(lane, number);
    }),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

function note(survived: Statement[], statement: Statement): void {
  survived.push(statement);
  if (isLong) console.log(`Kill ${survived.length} survived, ${statement.activity}: ${statement.text}`);
}

/** What a closing note tells: how many kills of each kind the tables have survived. */
function report(what: string, survived: readonly Statement[]): void {
  const kinds = new Map<string, number>();
  for (const {activity, text} of survived) {
    const kind = text.startsWith('COMMIT') ? `${activity} COMMIT` : activity;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const list = [...kinds].map(([kind, number]) => `${number} in ${kind}`).toSorted();
  console.log(`Kills survived, ${what}, seed ${seed}: ${list.join(', ')}`);
}
