import type {FreshetClient} from '../client.ts';
import {didYouMean} from '../definition/nearest.ts';
import {FreshetError} from '../errors.ts';
import {isSameName, tableNameText} from '../table-name.ts';
import {createdBy, type Checked} from './validation.ts';

/**
 * Checks against the lake what has passed without it. A table that reads another one of these files which is not there yet can't be
 * bound: that is said, and is no mistake.
 */
export async function checkInLake(
  client: Pick<FreshetClient, 'list' | 'create' | 'explain'>,
  checked: readonly Checked[],
  tell: (each: Checked) => void,
): Promise<readonly Checked[]> {
  const present = (await client.list()).map(({table}) => table);
  const created = checked.flatMap((each) => createdBy(each) ?? []);
  const results: Checked[] = [];
  for (const each of checked) {
    tell(each);
    results.push(each.error === null ? await checkOne(client, each, {present, created}) : each);
  }
  return results;
}

type Names = {readonly present: readonly string[]; readonly created: readonly string[]};

async function checkOne(
  client: Pick<FreshetClient, 'create' | 'explain'>,
  each: Checked,
  {present, created}: Names,
): Promise<Checked> {
  const {statement, reads, text} = each;
  const isThere = (name: string) => present.some((other) => isSameName(other, name));
  if (statement?.kind === 'alter' || statement?.kind === 'drop') {
    const name = tableNameText(statement.table);
    const known = [...present, ...created];
    const isKnown = known.some((other) => isSameName(other, name));
    if (isKnown || (statement.kind === 'drop' && statement.ifExists)) return each;
    const message = `There is no dynamic table ${name}, and none of these statements creates it.`;
    const hint = didYouMean(name, known);
    return {...each, error: new FreshetError('unknown_dynamic_table', message, {hint, position: each.start})};
  }
  if (statement?.kind !== 'create') return each;
  const missing = reads.filter((name) => created.includes(name) && !isThere(name));
  if (missing.length > 0) {
    return {...each, note: `checked without the lake, which has no ${missing.join(', ')} yet`};
  }
  try {
    // CREATE looks no further than the name of a table that is there.
    const exists = isThere(tableNameText(statement.table));
    const {mode, reasons} = exists ? await client.explain(text) : await client.create(text, {dryRun: true});
    return {...each, mode, reasons, note: exists ? 'there is one by this name already' : null};
  } catch (error) {
    if (error instanceof FreshetError && error.code !== 'unavailable') {
      return {...each, error: error.position ? error : placed(error, each)};
    }
    throw error;
  }
}

function placed({code, message, hint}: FreshetError, {start}: Checked): FreshetError {
  return new FreshetError(code, message, {hint, position: start});
}
