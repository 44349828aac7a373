import {fork, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import {failed, type Outcome} from './outcome.ts';
import type {PlaygroundOptions} from './playground.ts';
import {idOf} from './scenario.ts';

/** After this long a scenario hangs. */
const deadlineMs = 180_000;
/** DuckDB's memory grows with every lake that it has seen. */
const scenariosPerProcess = 200;

/**
 * Plays every line in one of `jobs` processes. A process that dies or hangs costs the line that it was at, and no other: that
 * line's outcome is the error, and a new process goes on.
 */
export async function playAll(
  lines: readonly string[],
  options: PlaygroundOptions,
  jobs: number,
  done: (index: number, outcome: Outcome) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    let player: Player | null = null;
    for (let index = next++; index < lines.length; index = next++) {
      const line = lines[index] ?? '';
      player ??= startPlayer(options);
      const outcome = await player.play(index, line);
      if (player.isSpent()) {
        await player.end();
        player = null;
      }
      await done(index, outcome);
    }
    await player?.end();
  };
  await Promise.all(Array.from({length: Math.min(jobs, lines.length)}, worker));
}

/** A process that plays one line after another. */
export type Player = {
  readonly play: (index: number, line: string) => Promise<Outcome>;
  /** Whether it has ended, or should. */
  readonly isSpent: () => boolean;
  readonly end: () => Promise<void>;
};

export function startPlayer(options: PlaygroundOptions): Player {
  const child = fork(fileURLToPath(import.meta.resolve('./player.js')), {
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  // As a message, for everybody on the machine can read an argument, and a password is in it.
  child.send(options);
  let played = 0;
  return {
    play: async (index, line) => {
      played++;
      child.send({index, line});
      return await answer(child, idOf(line));
    },
    isSpent: () => played >= scenariosPerProcess || hasEnded(child),
    end: async () => {
      if (hasEnded(child)) return;
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

function hasEnded({exitCode, signalCode}: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function answer(child: ChildProcess, id: Outcome['id']): Promise<Outcome> {
  const finished = new AbortController();
  let hangs = false;
  const timer = setTimeout(() => {
    hangs = true;
    child.kill('SIGKILL');
  }, deadlineMs);
  try {
    const answered = once(child, 'message', finished).then(([outcome]) => outcome as Outcome); // Sent by player.ts.
    const died = once(child, 'exit', finished).then(([code, signal]) =>
      failed(
        id,
        hangs ? `it took longer than ${deadlineMs / 1000} s` : `its process ended (${String(signal ?? code)})`,
      ),
    );
    return await Promise.race([answered, died]);
  } finally {
    clearTimeout(timer);
    finished.abort();
  }
}
