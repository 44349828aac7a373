import {chmod, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {startPostgres} from '../src/dev/postgres.ts';
import {provisionExtensions} from '../src/dev/provision.ts';
import {generate} from './data.ts';
import type {Site} from './ground.ts';
import {describeMachine} from './machine.ts';
import {measure, type Say} from './measure.ts';
import type {Options} from './options.ts';
import {profileOf, smallRefresh} from './profile.ts';
import {casesOf, type Result} from './result.ts';
import {watchStatements} from './statements.ts';
import {measureTemporal} from './temporal.ts';

/** The whole benchmark: on a PostgreSQL, lakes and a Temporal of its own, all of which go when it ends. */
export async function bench(options: Options, say: Say): Promise<Result> {
  const [startedAt, started] = [new Date().toISOString(), performance.now()];
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-bench-'));
  // Under root, PostgreSQL runs as another user, who must be able to pass.
  await chmod(folder, 0o711);
  const extensions = await provisionExtensions(['ducklake', 'postgres_scanner']);
  const postgres = await startPostgres({folder: path.join(folder, 'postgres')});
  const watch = watchStatements();
  try {
    say(`Making TPC-H tables at scale factor ${options.scaleFactor} …`);
    const site: Site = {postgres, extensions, folder, dataFolder: path.join(folder, 'tpch')};
    await generate(site.dataFolder, options.scaleFactor);
    const machine = await describeMachine(postgres.url('postgres'));
    const {samples, wrong} = await measure(site, options, watch, say);
    if (wrong.length === 0) say('By way of Temporal …');
    const temporal = wrong.length === 0 ? await measureTemporal(site, options.rounds, watch) : null;
    const allWrong = [...wrong, ...(temporal?.wrong ?? [])];
    const small = smallRefresh(samples);
    return {
      verdict: allWrong.length === 0 ? 'sound' : 'void',
      ...{wrong: allWrong, startedAt, options, machine},
      cases: casesOf(samples),
      profile: small === null ? [] : profileOf(small, (sql) => sql.replaceAll(folder, '…')),
      temporal: temporal?.figures ?? null,
      peakMemoryMiB: Math.round(process.resourceUsage().maxRSS / 1024),
      seconds: Math.round((performance.now() - started) / 1000),
    };
  } finally {
    watch.stop();
    await postgres.stop();
    await rm(folder, {recursive: true, force: true});
  }
}
