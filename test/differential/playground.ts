import {chmod, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {openPlayground} from '../../scenarios/playground.ts';
import type {Outcome} from '../../scenarios/outcome.ts';
import type {Scenario} from '../../scenarios/scenario.ts';
import {aDatabase} from '../support/servers.ts';

/** Plays scenarios with their check on, in a database of its own. */
export async function aPlayground(
  open: typeof openPlayground = openPlayground,
): Promise<{readonly play: (scenario: Scenario) => Promise<Outcome>} & AsyncDisposable> {
  const database = await aDatabase();
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-differential-'));
  await chmod(folder, 0o711);
  const playground = await open({postgresUrl: database.url, folder, rows: true, check: true});
  let played = 0;
  return {
    play: (scenario) => playground.play(`s${played++}`, scenario),
    [Symbol.asyncDispose]: async () => {
      playground.close();
      await rm(folder, {recursive: true, force: true});
      await database[Symbol.asyncDispose]();
    },
  };
}
