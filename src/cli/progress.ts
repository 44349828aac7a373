import ora from 'ora';

/** Shows on standard error what a command waits for. */
export type Progress = {
  /** `work` is what changes all the time: how far it is. */
  readonly show: (text: string, work?: string) => void;
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

/** A spinner on a terminal, a line for each step elsewhere (not for how far it is), nothing beside JSON. */
function progress(isSilent: boolean): Progress {
  if (isSilent) return {show: () => undefined, end: () => undefined};
  return process.stderr.isTTY ? spinner() : lines();
}

function spinner(): Progress {
  // Left alone, ora takes over standard input, and Ctrl-C with it.
  const shown = ora({discardStdin: false});
  return {
    show: (text, work = '') => {
      const all = work === '' ? text : `${text}: ${work}`;
      if (shown.isSpinning) shown.text = all;
      else shown.start(all);
    },
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
