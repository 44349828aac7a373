import {chmod, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {exitCodes} from '../src/cli/exit-code.ts';
import {report} from '../src/cli/report.ts';
import {withServers, type Freshet} from '../src/cli/connect.ts';
import {count} from '../src/cli/text.ts';
import {startDevStack} from '../src/dev/dev.ts';
import {mergeEnvironment, stackFolder} from '../src/dev/stack-file.ts';
import {changes} from './changes.ts';
import {flightsFile, loadFlights} from './load.ts';
import {play} from './play.ts';
import {prepareScratch} from './recomputation.ts';
import {closingText, createdText, dearerText, legend, outcomesTable, say, title, type Outcome} from './report.ts';
import {tables} from './tables.ts';

/**
 * Real flights in a lake, six dynamic tables over them, five changes; after each, what the refreshes did and whether every table
 * equals its query. `--keep` leaves the stack running until Ctrl-C. Exit status 0: all were equal, every time.
 */
async function demo(isKept: boolean): Promise<number> {
  const started = performance.now();
  const asked = stopSignal();
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-demo-'));
  // Under root, PostgreSQL runs as another user, who must be able to pass.
  await chmod(folder, 0o711);
  const stack = await startDevStack({folder: path.join(folder, stackFolder), progress: say});
  try {
    const told = withServers(mergeEnvironment(process.env, stack.environment), tell);
    const outcomes = await Promise.race([told, asked]);
    if (outcomes === null) return exitCodes.cancelled;
    title('In the end');
    say(closingText(outcomes, performance.now() - started));
    say(`Temporal's Web UI: ${stack.webUiUrl}${isKept ? '' : ' (until this ends; --keep leaves it running)'}`);
    if (isKept) {
      say(`\nEverything runs on until Ctrl-C. In another terminal: cd ${folder}, then freshet list.`);
      await Promise.race([asked, stack.broken]);
    }
    return outcomes.every(({isEqual}) => isEqual) ? 0 : 1;
  } finally {
    await stack.stop();
    await rm(folder, {recursive: true, force: true});
  }
}

/** Fulfilled with null when this process is asked to stop. */
function stopSignal(): Promise<null> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(null));
  });
}

async function tell(freshet: Freshet): Promise<readonly Outcome[]> {
  const [client, sql] = [await freshet.client(), await freshet.plainSql()];
  title('Real flights');
  const {flights, airports} = await loadFlights(sql);
  say(`${count(flights)} flights of the first half of 2001 and ${count(airports)} airports are in the lake.`);

  title('Six dynamic tables');
  await prepareScratch(sql);
  for (const table of tables) say(createdText(table, await client.create(table.statement)));

  say(`\n${legend}`);
  const outcomes: Outcome[] = [];
  for (const change of changes(flightsFile)) {
    title(change.title);
    say(change.statement);
    const played = await play(freshet, change);
    outcomes.push(...played);
    say(`\n${outcomesTable(played)}${dearerText(played)}`);
  }
  return outcomes;
}

try {
  // What was cut off by Ctrl-C would wait long for servers that have gone.
  process.exit(await demo(process.argv.includes('--keep')));
} catch (error) {
  process.exit(report(error, false));
}
