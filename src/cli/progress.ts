import ora from 'ora';

/** Shows on standard error what a command waits for. */
export type Progress = {
  readonly show: (text: string) => void;
  readonly end: () => void;
};

/** Progress while `work` is done. */
export async function withProgress<T>(isSilent: boolean, work: (shown: Progress) => Promise<T>): Promise<T> {
  const shown = progress(isSilent);
  try {
    return await work(shown);
  } finally {
    shown.end();
  }
}

/** A spinner on a terminal, a line for each step elsewhere, nothing beside JSON. */
function progress(isSilent: boolean): Progress {
  if (isSilent) return {show: () => undefined, end: () => undefined};
  return process.stderr.isTTY ? spinner() : lines();
}

function spinner(): Progress {
  // Left alone, ora takes over standard input, and Ctrl-C with it.
  const shown = ora({discardStdin: false});
  return {
    show: (text) => void (shown.isSpinning ? (shown.text = text) : shown.start(text)),
    end: () => void shown.stop(),
  };
}

function lines(): Progress {
  let last = '';
  return {
    show: (text) => {
      if (text !== last) process.stderr.write(`${text} …\n`);
      last = text;
    },
    end: () => undefined,
  };
}
