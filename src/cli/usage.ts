/** A command was called in a way it doesn't understand. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
