import {parseStatement, splitStatements} from '../definition/parse.ts';
import type {Statement} from '../definition/statement.ts';
import {FreshetError, type Position} from '../errors.ts';
import {cyclePath, transitiveUpstreamsOf, type Node} from '../graph/edges.ts';
import {isSameName, tableNameText} from '../table-name.ts';
import type {QueryReader} from './offline-query.ts';
import {atItsPlace} from './statement-input.ts';

export type GivenFile = {readonly file: string; readonly text: string};

/** A statement of a file, and what is known of it. */
export type Checked = {
  readonly file: string;
  readonly start: Position;
  /** With blanks before it, as `atItsPlace` has it. */
  readonly text: string;
  /** Null when it can't be read. */
  readonly statement: Statement | null;
  /** The tables that a CREATE reads, as they are called where they are created. */
  readonly reads: readonly string[];
  /** How it would be refreshed, and why fully; null where only the lake could tell. */
  readonly mode: 'incremental' | 'full' | null;
  readonly reasons: readonly string[];
  readonly note: string | null;
  readonly error: FreshetError | null;
};

/** Checks all that can be told without a lake, of every statement: one that is wrong keeps no other from being looked at. */
export async function checkFiles(
  files: readonly GivenFile[],
  reader: Pick<QueryReader, 'tablesOf' | 'parse'>,
): Promise<readonly Checked[]> {
  const read: Checked[] = [];
  for (const file of files) read.push(...(await checkFile(file, reader)));
  return refuseCycles(refuseTwice(withKnownNames(read)));
}

/** The dynamic tables of the statements in an order in which they can be created. */
export function creationOrder(checked: readonly Checked[]): readonly string[] {
  const nodes = checked.flatMap(givenBy);
  const created = checked.flatMap((each) => named(createdBy(each) ?? '', nodes)?.name ?? []);
  const order = new Set(created.flatMap((name) => [...transitiveUpstreamsOf(name, nodes), name]));
  return [...order].filter((name) => created.includes(name));
}

/** The dynamic table that a statement creates; null when it is another statement. */
export function createdBy({statement}: Checked): string | null {
  return statement?.kind === 'create' ? tableNameText(statement.table) : null;
}

/** A dynamic table that is there after a statement, and the statement that gave it this name. */
type Given = Node & {readonly by: Checked};

/** What a statement gives a name to; what a renamed table reads is its former self. */
export function givenBy(each: Checked): readonly Given[] {
  const {statement, reads} = each;
  const name = createdBy(each);
  if (name !== null) return [{name, sources: reads, by: each}];
  if (statement?.kind !== 'alter' || statement.change.kind !== 'rename') return [];
  return [{name: tableNameText(statement.change.to), sources: [tableNameText(statement.table)], by: each}];
}

const unknown = {statement: null, reads: [], mode: null, reasons: [], note: null, error: null};

async function checkFile(
  {file, text}: GivenFile,
  {tablesOf, parse}: Pick<QueryReader, 'tablesOf' | 'parse'>,
): Promise<Checked[]> {
  const split = attempt(() => splitStatements(text));
  if (split instanceof FreshetError) {
    return [{...unknown, file, start: split.position ?? {line: 1, column: 1}, text, error: split}];
  }
  const checked: Checked[] = [];
  for (const piece of split) {
    const placed = atItsPlace(piece);
    const common = {...unknown, file, start: piece.start, text: placed};
    const statement = attempt(() => parseStatement(placed));
    if (statement instanceof FreshetError) {
      checked.push({...common, error: statement});
    } else if (statement.kind === 'create') {
      const tables = await tablesOf(statement.query).catch(ourError);
      const error = tables instanceof FreshetError ? tables : null;
      const reads = tables instanceof FreshetError ? [] : [...new Set(tables.map(tableNameText))];
      checked.push({...common, statement, reads, error});
    } else if (statement.kind === 'sql') {
      const wrong = await parse(placed).catch(ourError);
      checked.push({...common, statement, error: wrong ?? null});
    } else {
      checked.push({...common, statement});
    }
  }
  return checked;
}

function attempt<T>(work: () => T): T | FreshetError {
  try {
    return work();
  } catch (error) {
    return ourError(error);
  }
}

/** Anything else is no finding, but a failure of the check. */
function ourError(error: unknown): FreshetError {
  if (error instanceof FreshetError) return error;
  throw error;
}

/** DuckDB does not tell names apart by case; here what is read is called as it is created. */
function withKnownNames(checked: readonly Checked[]): readonly Checked[] {
  const given = checked.flatMap(givenBy);
  return checked.map((each) => ({
    ...each,
    reads: each.reads.map((name) => named(name, given)?.name ?? name),
  }));
}

function named(name: string, tables: readonly Given[]): Given | undefined {
  return tables.find((other) => isSameName(other.name, name));
}

/** The tables as one more statement leaves them. */
function after(tables: readonly Given[], each: Checked): readonly Given[] {
  const {statement} = each;
  if (statement?.kind === 'create') {
    const same = named(tableNameText(statement.table), tables);
    if (same === undefined) return [...tables, ...givenBy(each)];
    return statement.orReplace
      ? tables.map((other) => (other === same ? {...other, sources: each.reads} : other))
      : tables;
  }
  if (statement?.kind !== 'drop' && statement?.kind !== 'alter') return tables;
  const same = named(tableNameText(statement.table), tables);
  if (statement.kind === 'drop') return tables.filter((other) => other !== same);
  const renamed = givenBy(each).map((given) => ({...given, sources: same?.sources ?? []}));
  return renamed.length === 0 ? tables : [...tables.filter((other) => other !== same), ...renamed];
}

function refuseTwice(checked: readonly Checked[]): readonly Checked[] {
  let there: readonly Given[] = [];
  return checked.map((each) => {
    const [given] = givenBy(each);
    const same = given === undefined ? undefined : named(given.name, there);
    const {statement, error} = each;
    const isFree =
      same === undefined || (statement?.kind === 'create' && (statement.ifNotExists || statement.orReplace));
    if (isFree || error !== null) {
      there = after(there, each);
      return each;
    }
    const message = `${same.name} is there already, by ${placeText(same.by)}.`;
    return {...each, error: new FreshetError('already_exists', message, {position: each.start})};
  });
}

/** A cycle is told once, at its first statement. */
function refuseCycles(checked: readonly Checked[]): readonly Checked[] {
  const told = new Set<string>();
  let there: readonly Given[] = [];
  return checked.map((each, i) => {
    there = after(there, each);
    const name = createdBy(each);
    if (name === null || told.has(name) || each.error !== null) return each;
    // What only a later statement creates may be read: files come in any order.
    const way = cyclePath(name, each.reads, [...there, ...checked.slice(i + 1).flatMap(givenBy)]);
    if (way === null) return each;
    for (const table of way) told.add(table);
    const message = `${name} would read itself: ${way.join(' reads ')}.`;
    return {...each, error: new FreshetError('dependency_cycle', message, {position: each.start})};
  });
}

export function placeText({file, start}: Pick<Checked, 'file' | 'start'>): string {
  return `${file}:${start.line}:${start.column}`;
}
