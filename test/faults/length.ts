/** `FAULTS=long` asks for the long form of these tests, as developers run it by hand. */
export const isLong = process.env['FAULTS'] === 'long';

/** What was drawn before is drawn again with `SEED`. */
export const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
