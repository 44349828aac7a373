import {chmod, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {startPlayer, type Player} from '../../scenarios/play-all.ts';
import type {Outcome} from '../../scenarios/outcome.ts';
import type {PlaygroundOptions} from '../../scenarios/playground.ts';
import type {Scenario} from '../../scenarios/scenario.ts';
import {startPostgres} from '../../src/dev/postgres.ts';
import {provisionExtensions} from '../../src/dev/provision.ts';
import {keep} from './files.ts';
import type {Generated} from './generate.ts';
import {livelyScenarios} from './lively.ts';
import {isRefusal, verdict} from './oracle.ts';
import {isAlike, shrink} from './shrink.ts';

const usage = `npm run fuzz -- [--minutes N] [--seed S] [--jobs 1|2]

Generates tables, queries and histories, plays them with the engine on real lakes, and compares every dynamic table with its query
after every step, row by row. A query with an incremental rule must be refreshed by it: that the net under the rules caught
something is a finding too. So is an error, or a process that dies or hangs.

  --minutes N  how long (5); a case that has begun is ended, and a finding made small
  --seed S     where to begin (1): the same seed gives the same cases, different seeds give different ones
  --jobs N     how many processes play, 1 or 2 (1)

Every 30 s a line says how far it is, and the last line has the counts. A finding is shrunk and written to
test/differential/regressions/, where the test suite replays it first from then on.
Exit code 0: no finding, 1: some, 2: the fuzzer itself could not go on. Several fuzzers may run side by side.`;

const progressSeconds = 30;
/** Cases of one seed; the next seed begins after them. */
const casesPerSeed = 1_000_000;
/** How many smaller scenarios of a finding are played. */
const shrinkTries = 150;

type Counts = {cases: number; refused: number; refreshes: number; incremental: number; findings: number};

async function main(): Promise<void> {
  const {minutes, seed, jobs} = readArguments();
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-fuzz-'));
  // Under root, PostgreSQL runs as another user, who must be able to pass.
  await chmod(folder, 0o711);
  await provisionExtensions(['ducklake', 'postgres_scanner']);
  const postgres = await startPostgres({folder: path.join(folder, 'postgres'), isDisposable: true});
  const counts: Counts = {cases: 0, refused: 0, refreshes: 0, incremental: 0, findings: 0};
  const started = performance.now();
  const seconds = (): number => Math.round((performance.now() - started) / 1000);
  const say = setInterval(() => console.log(`${seconds()} s: ${line(counts)}`), progressSeconds * 1000);
  try {
    const options = {postgresUrl: postgres.url('postgres'), folder, rows: true, check: true};
    const scenarios = livelyScenarios(seed * casesPerSeed, 'long');
    const work = async (): Promise<void> => {
      const players = new Players(options);
      while (seconds() < minutes * 60) await playOne((await scenarios.next()).value, players, counts);
      await players.end();
    };
    await Promise.all(Array.from({length: jobs}, work));
  } finally {
    clearInterval(say);
    await postgres.stop();
    await rm(folder, {recursive: true, force: true});
  }
  console.log(`seed ${seed}, ${seconds()} s: ${line(counts)}`);
  if (counts.findings > 0) process.exitCode = 1;
}

async function playOne(generated: Generated, players: Players, counts: Counts): Promise<void> {
  const {scenario} = generated;
  const outcome = await players.play(scenario);
  counts.cases++;
  if (isRefusal(outcome)) counts.refused++;
  counts.refreshes += outcome.steps.length;
  counts.incremental += outcome.steps.filter(({action}) => action === 'INCREMENTAL').length;
  const wrong = verdict(scenario, outcome);
  if (wrong === null) return;
  counts.findings++;
  console.log(`${scenario.id}: ${wrong}`);
  const isStillWrong = async (smaller: Scenario): Promise<boolean> =>
    isAlike(verdict(smaller, await players.play(smaller)), wrong);
  const small = await shrink(generated, isStillWrong, shrinkTries);
  console.log(`${scenario.id}: kept as ${path.relative('.', keep(small))}`);
}

/** One process after another: each is replaced before it has seen too many lakes, and after its death. */
class Players {
  static #lakes = 0;
  readonly #options: PlaygroundOptions;
  #player: Player | null = null;

  constructor(options: PlaygroundOptions) {
    this.#options = options;
  }

  async play(scenario: Scenario): Promise<Outcome> {
    this.#player ??= startPlayer(this.#options);
    const outcome = await this.#player.play(Players.#lakes++, JSON.stringify(scenario));
    if (this.#player.isSpent()) await this.end();
    return outcome;
  }

  async end(): Promise<void> {
    await this.#player?.end();
    this.#player = null;
  }
}

function line({cases, refused, refreshes, incremental, findings}: Counts): string {
  const share = Math.round((100 * incremental) / Math.max(refreshes, 1));
  return `${cases} cases (${refused} refused), ${refreshes} refreshes, ${share} % of them incremental, ${findings} findings`;
}

function readArguments(): {minutes: number; seed: number; jobs: number} {
  const {values} = parseArgs({
    options: {
      minutes: {type: 'string', default: '5'},
      seed: {type: 'string', default: '1'},
      jobs: {type: 'string', default: '1'},
      help: {type: 'boolean', default: false},
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const [minutes, seed, jobs] = [Number(values.minutes), Number(values.seed), Number(values.jobs)];
  const isRight = minutes > 0 && Number.isInteger(seed) && seed >= 0 && (jobs === 1 || jobs === 2);
  if (!isRight) throw new Error(usage);
  return {minutes, seed, jobs};
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
});
