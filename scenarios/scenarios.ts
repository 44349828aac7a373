/**
 * Plays scenarios on real lakes, without Temporal: `npm run -s scenarios -- FILE.jsonl [--rows] [--check] [--jobs N] --out OUT.jsonl`
 *
 * One line of FILE is one `Scenario`, one line of OUT its `Outcome`, in the same order. Every scenario has a lake of its own in
 * a PostgreSQL that is started for the run. Exit code 0 means that every line has its outcome, whatever that is; with --check
 * also that no table differed from its query.
 */
import {chmod, mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {startPostgres} from '../src/dev/postgres.ts';
import {provisionExtensions} from '../src/dev/provision.ts';
import {openOutput} from './output.ts';
import {playAll} from './play-all.ts';
import {Tally} from './tally.ts';

const usage = 'npm run -s scenarios -- FILE.jsonl [--rows] [--check] [--jobs N] --out OUT.jsonl';

async function main(): Promise<void> {
  const {file, out, jobs, rows, check} = readArguments();
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.trim() !== '');
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-scenarios-'));
  // Under root, PostgreSQL runs as another user, who must be able to pass.
  await chmod(folder, 0o711);
  await provisionExtensions(['ducklake', 'postgres_scanner']);
  const postgres = await startPostgres({folder: path.join(folder, 'postgres'), isDisposable: true});
  const tally = new Tally();
  try {
    await using output = await openOutput(out);
    await playAll(lines, {postgresUrl: postgres.url('postgres'), folder, rows, check}, jobs, async (index, outcome) => {
      tally.count(outcome);
      await output.write(index, outcome);
    });
  } finally {
    await postgres.stop();
    await rm(folder, {recursive: true, force: true});
  }
  console.log(tally.closingLine());
  if (tally.differing > 0) process.exitCode = 1;
}

function readArguments(): {file: string; out: string; jobs: number; rows: boolean; check: boolean} {
  const {values, positionals} = parseArgs({
    allowPositionals: true,
    options: {
      rows: {type: 'boolean', default: false},
      check: {type: 'boolean', default: false},
      jobs: {type: 'string', default: '1'},
      out: {type: 'string'},
    },
  });
  const [file] = positionals;
  const jobs = Number(values.jobs);
  if (file === undefined || positionals.length > 1 || values.out === undefined || !Number.isInteger(jobs) || jobs < 1) {
    throw new Error(`usage: ${usage}`);
  }
  return {file, out: values.out, jobs, rows: values.rows, check: values.check};
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
});
