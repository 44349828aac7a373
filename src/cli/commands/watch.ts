import {setTimeout as wait} from 'node:timers/promises';
import type {Command} from 'commander';
import type {FreshetClient, TableNow} from '../../client.ts';
import {FreshetError} from '../../errors.ts';
import {finish, type JsonOption} from '../command.ts';
import {withClient} from '../connect.ts';
import {errorJson, errorText} from '../error-text.ts';
import {asFreshetError} from '../report.ts';
import {changedJson, changedLines, showWatch, type Changed, type Seen} from '../show/watch.ts';

export function addWatch(program: Command): void {
  const command = program
    .command('watch')
    .description(
      'show all dynamic tables and what runs, until Ctrl-C; in a pipe a line for each that something happens to',
    )
    .action(watch);
  finish(command, 'freshet watch', 'freshet watch | grep main.totals', 'freshet watch --json');
}

const lookMilliseconds = 2_000;
/** Servers that are there answer in a fraction of it. */
const answerMilliseconds = 10_000;

async function watch(options: JsonOption): Promise<void> {
  const stopped = stopSignal();
  const shown = viewFor(options);
  try {
    // The terminal is as it was before the connections are closed, for which a server that hangs may be waited for.
    await withClient((client) => look(client, shown, stopped).finally(shown.end));
  } finally {
    shown.end();
  }
}

/** Servers that go away are waited for. */
async function look(client: FreshetClient, shown: View, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    try {
      shown.show(await inTime(client.overview(), stopped));
    } catch (error) {
      if (stopped.aborted) return;
      const known = asFreshetError(error);
      if (known.code !== 'unavailable') throw known;
      shown.away(known);
    }
    await wait(lookMilliseconds, undefined, {signal: stopped}).catch(() => undefined);
  }
}

/** What is not answered in time, or not before the end, is no longer waited for. */
async function inTime<T>(answer: Promise<T>, stopped: AbortSignal): Promise<T> {
  const tooLong = wait(answerMilliseconds, undefined, {signal: stopped}).then(() => {
    throw new FreshetError('unavailable', `Freshet's servers have not answered for ${answerMilliseconds / 1000} s.`);
  });
  // Whichever comes second has nobody to tell.
  for (const each of [answer, tooLong]) each.catch(() => undefined);
  return await Promise.race([answer, tooLong]);
}

/** Aborted by Ctrl-C, and when nobody reads any more. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => controller.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
  process.stdout.once('error', stop);
  return controller.signal;
}

type View = {
  readonly show: (tables: readonly TableNow[]) => void;
  /** Told at each look in vain. */
  readonly away: (why: FreshetError) => void;
  readonly end: () => void;
};

function viewFor({json}: JsonOption): View {
  if (json === true) return lines(changedJson, (why) => JSON.stringify(errorJson(why)));
  return process.stdout.isTTY ? screen() : lines(changedLines, (why) => errorText(why, null));
}

/** The terminal's other screen, which leaves the first as it was; what is wider than it is cut off there. */
function screen(): View {
  let seen: Seen = {tables: null, at: Date.now(), why: null};
  let hasEnded = false;
  const draw = () => {
    const all = showWatch(seen, process.stdout.rows);
    process.stdout.write(`\u001B[H${all.map((line) => `${line}\u001B[K`).join('\n')}\u001B[J`);
  };
  process.stdout.write('\u001B[?1049h\u001B[?25l\u001B[?7l');
  process.stdout.on('resize', draw);
  draw();
  return {
    show: (tables) => {
      seen = {tables, at: Date.now(), why: null};
      draw();
    },
    away: (why) => {
      seen = {...seen, why};
      draw();
    },
    end: () => {
      if (hasEnded) return;
      hasEnded = true;
      process.stdout.off('resize', draw);
      process.stdout.write('\u001B[?7h\u001B[?25h\u001B[?1049l');
    },
  };
}

function lines(changed: Changed, whyAway: (why: FreshetError) => string): View {
  let before: readonly TableNow[] | null = null;
  let isAway = false;
  return {
    show: (tables) => {
      isAway = false;
      for (const line of changed(before, tables, Date.now())) process.stdout.write(`${line}\n`);
      before = tables;
    },
    away: (why) => {
      if (!isAway) process.stderr.write(`${whyAway(why)}\n`);
      isAway = true;
    },
    end: () => undefined,
  };
}
