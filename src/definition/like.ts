/** Whether a name is as LIKE wants it: `%` stands for any characters, `_` for one, and case makes no difference. */
export function isLike(name: string, pattern: string): boolean {
  const parts = pattern.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  return new RegExp(`^${parts.replaceAll('%', '.*').replaceAll('_', '.')}$`, 'isu').test(name);
}
