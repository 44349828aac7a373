import type {AssumedTable, FreshetClient} from '../client.ts';
import {nameMade} from '../definition/made.ts';
import {didYouMean} from '../definition/nearest.ts';
import type {Create} from '../definition/statement.ts';
import {FreshetError} from '../errors.ts';
import {isSameName, readTableName, tableNameText} from '../table-name.ts';
import {createdBy, givenBy, placeText, type Checked} from './validation.ts';

type Asked = Pick<FreshetClient, 'list' | 'create'>;

/**
 * Checks against the lake what has passed without it, one statement after the other: a table that reads another one of these files
 * is checked over the columns that this one will have, which is checked before it wherever it stands.
 */
export async function checkInLake(
  client: Asked,
  checked: readonly Checked[],
  tell: (each: Checked) => void,
): Promise<readonly Checked[]> {
  const present = (await client.list()).map(({table}) => table);
  const given = checked.flatMap(givenBy).map(({name}) => name);
  const results = new Map<Checked, Checked>();
  const begun = new Set<Checked>();
  let assumed: readonly AssumedTable[] = [];

  async function check(each: Checked): Promise<void> {
    if (begun.has(each)) return;
    begun.add(each);
    for (const name of each.reads.filter((read) => !has(assumed, read))) {
      const maker = checked.find((other) => isSameName(createdBy(other) ?? '', name) && !begun.has(other));
      if (maker !== undefined) await check(maker);
    }
    if (each.error !== null) return;
    tell(each);
    const {result, columns} = await checkOne(client, each, {present, checked, given, assumed});
    results.set(each, result);
    const table = createdBy(each);
    if (table === null || columns === null) return;
    assumed = [...assumed.filter((other) => !isSameName(other.table, table)), {table, columns}];
  }

  for (const each of checked) await check(each);
  return checked.map((each) => results.get(each) ?? each);
}

type Known = {
  /** Dynamic tables of the lake. */
  readonly present: readonly string[];
  readonly checked: readonly Checked[];
  /** Dynamic tables of these statements. */
  readonly given: readonly string[];
  /** Those of them that are checked already. */
  readonly assumed: readonly AssumedTable[];
};

function has(assumed: readonly AssumedTable[], name: string): boolean {
  return assumed.some(({table}) => isSameName(table, name));
}

/** `columns` are those of the table that it creates, when they are known. */
type Outcome = {readonly result: Checked; readonly columns: AssumedTable['columns'] | null};

async function checkOne(client: Asked, each: Checked, known: Known): Promise<Outcome> {
  const {statement, reads} = each;
  if (statement?.kind === 'alter' || statement?.kind === 'drop') {
    return {result: checkName(each, tableNameText(statement.table), known), columns: null};
  }
  if (statement?.kind !== 'create') return {result: each, columns: null};
  const unknown = reads.filter((name) => known.given.includes(name) && !has(known.assumed, name));
  if (unknown.length > 0) {
    const note = `not checked in the lake, which has no such ${unknown.join(', ')} yet`;
    return {result: {...each, note}, columns: null};
  }
  try {
    return await ask(client, each, statement, known);
  } catch (error) {
    if (!(error instanceof FreshetError) || error.code === 'unavailable') throw error;
    const maker = error.code === 'unknown_source' ? makerOfSource(each, known) : undefined;
    if (maker !== undefined) {
      const note = `not checked in the lake, where what ${placeText(maker)} creates is not yet`;
      return {result: {...each, note}, columns: null};
    }
    return {result: {...each, error: error.position ? error : placed(error, each)}, columns: null};
  }
}

async function ask(client: Asked, each: Checked, create: Create, {present, assumed}: Known): Promise<Outcome> {
  const isThere = present.some((other) => isSameName(other, tableNameText(create.table)));
  const {mode, reasons, columns} = await client.create(each.text, {
    dryRun: true,
    assumed: assumed.filter(({table}) => each.reads.some((name) => isSameName(name, table))),
  });
  return {result: {...each, mode, reasons, note: isThere ? noteOf(create) : null}, columns};
}

function noteOf({orReplace}: Create): string {
  return orReplace ? 'in place of the one that is there' : 'there is one by this name already';
}

function checkName(each: Checked, name: string, {present, given}: Known): Checked {
  const {statement} = each;
  const names = [...present, ...given];
  const isKnown = names.some((other) => isSameName(other, name));
  if (isKnown || (statement?.kind === 'drop' && statement.ifExists)) return each;
  const message = `There is no dynamic table ${name}, and none of these statements makes it.`;
  const hint = didYouMean(name, names);
  return {...each, error: new FreshetError('unknown_dynamic_table', message, {hint, position: each.start})};
}

/** The statement of plain SQL that makes a table, view or schema which is read or created in, by its bare name. */
function makerOfSource(each: Checked, {checked}: Known): Checked | undefined {
  const paths = [createdBy(each) ?? '', ...each.reads].flatMap((name) => readTableName(name) ?? []);
  const names = paths.flatMap(({schema, name}) => [schema.toLowerCase(), name.toLowerCase()]);
  return checked.find(({statement, error}) => {
    const made = statement?.kind === 'sql' && error === null ? nameMade(statement.text) : null;
    return made !== null && names.includes(made.toLowerCase());
  });
}

function placed({code, message, hint}: FreshetError, {start}: Checked): FreshetError {
  return new FreshetError(code, message, {hint, position: start});
}
