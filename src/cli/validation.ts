import {parseStatement, splitStatements} from '../definition/parse.ts';
import type {Statement} from '../definition/statement.ts';
import {FreshetError, type Position} from '../errors.ts';
import {cyclePath, transitiveUpstreamsOf} from '../graph/edges.ts';
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
  const nodes = nodesOf(checked);
  const order: string[] = [];
  for (const {name} of nodes) {
    const way = [...transitiveUpstreamsOf(name, nodes), name];
    order.push(...way.filter((each) => !order.includes(each)));
  }
  return order;
}

/** The dynamic table that a statement creates; null when it is another statement. */
export function createdBy({statement}: Checked): string | null {
  return statement?.kind === 'create' ? tableNameText(statement.table) : null;
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
  const created = checked.flatMap((each) => createdBy(each) ?? []);
  return checked.map((each) => ({
    ...each,
    reads: each.reads.map((name) => created.find((other) => isSameName(other, name)) ?? name),
  }));
}

function refuseTwice(checked: readonly Checked[]): readonly Checked[] {
  let there: readonly {readonly name: string; readonly first: Checked}[] = [];
  return checked.map((each) => {
    const {statement, error} = each;
    if (statement?.kind !== 'create' && statement?.kind !== 'drop') return each;
    const name = tableNameText(statement.table);
    const same = there.find((other) => isSameName(other.name, name));
    there = there.filter((other) => other !== same);
    if (statement.kind === 'drop') return each;
    there = [...there, same ?? {name, first: each}];
    if (same === undefined || statement.ifNotExists || error !== null) return each;
    const message = `${name} is created twice, first at ${placeText(same.first)}.`;
    return {...each, error: new FreshetError('already_exists', message, {position: each.start})};
  });
}

/** A cycle is told once, at its first statement. */
function refuseCycles(checked: readonly Checked[]): readonly Checked[] {
  const nodes = nodesOf(checked);
  const told = new Set<string>();
  return checked.map((each) => {
    const name = createdBy(each);
    const way = name === null ? null : cyclePath(name, each.reads, nodes);
    if (name === null || way === null || told.has(name) || each.error !== null) return each;
    for (const table of way) told.add(table);
    const message = `${name} would read itself: ${way.join(' reads ')}.`;
    return {...each, error: new FreshetError('dependency_cycle', message, {position: each.start})};
  });
}

function nodesOf(checked: readonly Checked[]): readonly {readonly name: string; readonly sources: readonly string[]}[] {
  const sources = new Map<string, readonly string[]>();
  for (const each of checked) {
    const name = createdBy(each);
    if (name !== null && !sources.has(name)) sources.set(name, each.reads);
  }
  return [...sources].map(([name, reads]) => ({name, sources: reads}));
}

export function placeText({file, start}: Pick<Checked, 'file' | 'start'>): string {
  return `${file}:${start.line}:${start.column}`;
}
