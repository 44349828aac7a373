/** A place where somebody waits until the test lets him through. */
export type Gate = {
  /** Resolves when somebody has come. */
  readonly reached: Promise<void>;
  readonly mark: () => void;
  readonly open: () => void;
  readonly pass: () => Promise<void>;
};

export function gate(): Gate {
  // Both are assigned before the constructor of the promise returns.
  let mark!: () => void;
  let open!: () => void;
  const reached = new Promise<void>((resolve) => (mark = resolve));
  const opened = new Promise<void>((resolve) => (open = resolve));
  return {
    reached,
    mark,
    open,
    pass: () => {
      mark();
      return opened;
    },
  };
}
