import type {AssumedTable, FreshetClient} from '../client.ts';
import {nameMade} from '../definition/made.ts';
import {didYouMean} from '../definition/nearest.ts';
import {FreshetError} from '../errors.ts';
import {isSameName, readTableName, tableNameText} from '../table-name.ts';
import {createdBy, creationOrder, placeText, type Checked} from './validation.ts';

type Asked = Pick<FreshetClient, 'list' | 'create'>;

/**
 * Checks against the lake what has passed without it, as if the statements were run in the order of `creationOrder`: a table that
 * reads another one of these files is checked over the columns that this one will have.
 */
export async function checkInLake(
  client: Asked,
  checked: readonly Checked[],
  tell: (each: Checked) => void,
): Promise<readonly Checked[]> {
  const present = (await client.list()).map(({table}) => table);
  const order = creationOrder(checked);
  const place = (each: Checked) => order.indexOf(createdBy(each) ?? '');
  const results = new Map<Checked, Checked>();
  const assumed: AssumedTable[] = [];
  for (const each of checked.toSorted((one, other) => place(one) - place(other))) {
    if (each.error !== null) continue;
    tell(each);
    const {result, columns} = await checkOne(client, each, {present, checked, order, assumed});
    results.set(each, result);
    const table = createdBy(each);
    if (table !== null && columns !== null) assumed.push({table, columns});
  }
  return checked.map((each) => results.get(each) ?? each);
}

type Known = {
  /** Dynamic tables of the lake. */
  readonly present: readonly string[];
  readonly checked: readonly Checked[];
  /** Dynamic tables of these statements. */
  readonly order: readonly string[];
  /** Those of them that are checked already. */
  readonly assumed: readonly AssumedTable[];
};

/** `columns` are those of the table that it creates, when they are known. */
type Outcome = {readonly result: Checked; readonly columns: AssumedTable['columns'] | null};

async function checkOne(client: Asked, each: Checked, known: Known): Promise<Outcome> {
  const {statement, reads} = each;
  if (statement?.kind === 'alter' || statement?.kind === 'drop') {
    return {result: checkName(each, tableNameText(statement.table), known), columns: null};
  }
  if (statement?.kind !== 'create') return {result: each, columns: null};
  const unchecked = reads.filter((name) => known.order.includes(name) && !isAssumed(known, name));
  if (unchecked.length > 0) {
    const note = `not checked in the lake, for ${unchecked.join(', ')} is not right yet`;
    return {result: {...each, note}, columns: null};
  }
  try {
    return await ask(client, each, known);
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

function isAssumed({assumed}: Known, name: string): boolean {
  return assumed.some(({table}) => table === name);
}

async function ask(client: Asked, each: Checked, {present, assumed}: Known): Promise<Outcome> {
  const {reads, text} = each;
  const name = createdBy(each);
  const isThere = present.some((other) => name !== null && isSameName(other, name));
  const {mode, reasons, columns} = await client.create(text, {
    dryRun: true,
    assumed: assumed.filter(({table}) => reads.includes(table)),
  });
  return {result: {...each, mode, reasons, note: isThere ? 'there is one by this name already' : null}, columns};
}

function checkName(each: Checked, name: string, {present, order}: Known): Checked {
  const {statement} = each;
  const names = [...present, ...order];
  const isKnown = names.some((other) => isSameName(other, name));
  if (isKnown || (statement?.kind === 'drop' && statement.ifExists)) return each;
  const message = `There is no dynamic table ${name}, and none of these statements creates it.`;
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
