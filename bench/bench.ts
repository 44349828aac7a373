import {chmod, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {startPostgres} from '../src/dev/postgres.ts';
import {provisionExtensions} from '../src/dev/provision.ts';
import {generate} from './data.ts';
import type {Site} from './ground.ts';
import {describeMachine} from './machine.ts';
import {watchMemory} from './memory.ts';
import {measure, type Say} from './measure.ts';
import type {Options} from './options.ts';
import {profileOf, smallRefresh} from './profile.ts';
import {casesOf, type Result} from './result.ts';
import {watchStatements} from './statements.ts';
import {measureTemporal} from './temporal.ts';

/** The whole benchmark: on a PostgreSQL, lakes and a Temporal of its own, all of which go when it ends. */
export async function bench(options: Options, say: Say): Promise<Result> {
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-bench-'));
  // Under root, PostgreSQL runs as another user, who must be able to pass.
  await chmod(folder, 0o711);
  const extensions = await provisionExtensions(['ducklake', 'postgres_scanner']);
  const postgres = await startPostgres({folder: path.join(folder, 'postgres')});
  try {
    say(`Making TPC-H tables at scale factor ${options.scaleFactor} …`);
    const site: Site = {postgres, extensions, folder, dataFolder: path.join(folder, 'tpch')};
    await generate(site.dataFolder, options.scaleFactor);
    return await benchAt(site, options, say);
  } finally {
    await postgres.stop();
    await rm(folder, {recursive: true, force: true});
  }
}

async function benchAt(site: Site, options: Options, say: Say): Promise<Result> {
  const [startedAt, started] = [new Date().toISOString(), performance.now()];
  const [watch, memory] = [watchStatements(), watchMemory()];
  try {
    const machine = await describeMachine(site.postgres.url('postgres'));
    const {samples, wrong} = await measure(site, options, watch, say);
    const isSound = wrong.length === 0;
    if (isSound) say('By way of Temporal …');
    const temporal = isSound ? await measureTemporal(site, options.rounds, watch) : {figures: null, wrong: []};
    const allWrong = [...wrong, ...temporal.wrong];
    const small = smallRefresh(samples);
    return {
      verdict: allWrong.length === 0 ? 'sound' : 'void',
      ...{wrong: allWrong, startedAt, options, machine},
      cases: casesOf(samples),
      profile: small === null ? [] : profileOf(small, (sql) => sql.replaceAll(site.folder, '…')),
      temporal: temporal.figures,
      peakMemoryMiB: memory.peakMiB(),
      seconds: Math.round((performance.now() - started) / 1000),
    };
  } finally {
    memory.stop();
    watch.stop();
  }
}
