import type {FreshetClient} from '../client.ts';
import {didYouMean} from '../definition/nearest.ts';
import type {Create, Statement} from '../definition/statement.ts';
import {FreshetError} from '../errors.ts';
import {isSameName, tableNameText} from '../table-name.ts';
import {givenBy, type Checked} from './validation.ts';

/**
 * Checks against the lake what has passed without it. A table that reads another one of these files which is not there yet, or not
 * as they make it, can't be bound: that is said, and is no mistake.
 */
export async function checkInLake(
  client: Pick<FreshetClient, 'list' | 'create' | 'explain'>,
  checked: readonly Checked[],
  tell: (each: Checked) => void,
): Promise<readonly Checked[]> {
  const present = (await client.list()).map(({table}) => table);
  const given = checked.flatMap(givenBy).map(({name}) => name);
  const names = {present, given, changed: checked.flatMap(({statement}) => changedBy(statement) ?? [])};
  const results: Checked[] = [];
  for (const each of checked) {
    tell(each);
    results.push(each.error === null ? await checkOne(client, each, names) : each);
  }
  return results;
}

/** `given`: by these statements; `changed`: what of it may be there already, but not as they make it. */
type Names = {
  readonly present: readonly string[];
  readonly given: readonly string[];
  readonly changed: readonly string[];
};

function changedBy(statement: Statement | null): string | null {
  const isOther = statement?.kind === 'drop' || (statement?.kind === 'create' && statement.orReplace);
  return isOther ? tableNameText(statement.table) : null;
}

async function checkOne(
  client: Pick<FreshetClient, 'create' | 'explain'>,
  each: Checked,
  {present, given, changed}: Names,
): Promise<Checked> {
  const {statement, reads, text} = each;
  const isAmong = (names: readonly string[], name: string) => names.some((other) => isSameName(other, name));
  if (statement?.kind === 'alter' || statement?.kind === 'drop') {
    const name = tableNameText(statement.table);
    const known = [...present, ...given];
    if (isAmong(known, name) || (statement.kind === 'drop' && statement.ifExists)) return each;
    const message = `There is no dynamic table ${name}, and none of these statements makes it.`;
    const hint = didYouMean(name, known);
    return {...each, error: new FreshetError('unknown_dynamic_table', message, {hint, position: each.start})};
  }
  if (statement?.kind !== 'create') return each;
  const missing = reads.filter((name) => given.includes(name) && (!isAmong(present, name) || isAmong(changed, name)));
  if (missing.length > 0) {
    return {...each, note: `checked without the lake, which has no such ${missing.join(', ')} yet`};
  }
  try {
    const exists = isAmong(present, tableNameText(statement.table));
    // Without OR REPLACE it looks no further than the name of a table that is there.
    const isSeen = exists && !statement.orReplace;
    const {mode, reasons} = isSeen ? await client.explain(text) : await client.create(text, {dryRun: true});
    return {...each, mode, reasons, note: exists ? noteOf(statement) : null};
  } catch (error) {
    if (error instanceof FreshetError && error.code !== 'unavailable') {
      return {...each, error: error.position ? error : placed(error, each)};
    }
    throw error;
  }
}

function noteOf({orReplace}: Create): string {
  return orReplace ? 'in place of the one that is there' : 'there is one by this name already';
}

function placed({code, message, hint}: FreshetError, {start}: Checked): FreshetError {
  return new FreshetError(code, message, {hint, position: start});
}
