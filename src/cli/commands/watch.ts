import {setTimeout as wait} from 'node:timers/promises';
import type {Command} from 'commander';
import type {TableNow} from '../../client.ts';
import {exampleText} from '../command.ts';
import {withClient} from '../connect.ts';
import {changedLines, showWatch} from '../show/watch.ts';

export function addWatch(program: Command): void {
  program
    .command('watch')
    .description(
      'show all dynamic tables and what runs, until Ctrl-C; in a pipe a line for each that something happens to',
    )
    .addHelpText('after', exampleText(['freshet watch', 'freshet watch | grep main.totals']))
    .action(watch);
}

const lookMilliseconds = 2_000;

async function watch(): Promise<void> {
  const stopped = stopSignal();
  const shown = process.stdout.isTTY ? screen() : lines();
  try {
    await withClient(async (client) => {
      while (!stopped.aborted) {
        shown.show(await client.overview(), Date.now());
        await wait(lookMilliseconds, undefined, {signal: stopped}).catch(() => undefined);
      }
    });
  } finally {
    shown.end();
  }
}

/** Aborted by Ctrl-C, and when nobody reads any more. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => controller.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  process.stdout.once('error', stop);
  return controller.signal;
}

type Shown = {readonly show: (tables: readonly TableNow[], now: number) => void; readonly end: () => void};

/** The terminal's other screen, which leaves the first as it was. */
function screen(): Shown {
  process.stdout.write('\u001B[?1049h\u001B[?25l');
  return {
    show: (tables, now) => {
      const all = showWatch(tables, now)
        .split('\n')
        .slice(0, process.stdout.rows - 1);
      process.stdout.write(`\u001B[H${all.map((line) => `${line}\u001B[K\n`).join('')}\u001B[J`);
    },
    end: () => void process.stdout.write('\u001B[?25h\u001B[?1049l'),
  };
}

function lines(): Shown {
  let before: readonly TableNow[] | null = null;
  return {
    show: (tables, now) => {
      for (const line of changedLines(before, tables, now)) process.stdout.write(`${line}\n`);
      before = tables;
    },
    end: () => undefined,
  };
}
