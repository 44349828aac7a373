import {didYouMean} from '../definition/nearest.ts';
import type {Query} from '../definition/statement.ts';
import {FreshetError} from '../errors.ts';
import {allNamesAt, macrosAt, tableAt, viewAt, type LakeMacro, type LakeTable, type LakeView} from '../lake/catalog.ts';
import type {Session} from '../lake/session.ts';
import {tableNameText, type TableName} from '../table-name.ts';
import type {Mention} from './mentions.ts';
import {ageOfToday, sampleByChance} from './volatile.ts';
import {checkQuery, checkText, userOrigin, type OwnNames, type Origin} from './walls.ts';

/** What of the lake a query reaches at a snapshot, through views and macros. A view comes after what it reads. */
export type Reached = {
  readonly tables: readonly LakeTable[];
  readonly views: readonly LakeView[];
  readonly macros: readonly LakeMacro[];
  /** Functions of DuckDB that the texts call, as they are written; samples too. */
  readonly functions: readonly string[];
  /** Names of all scalar macros of the lake, for suggestions. */
  readonly scalarMacros: readonly string[];
  /** Those of the tables that are none of the lake's. */
  readonly assumed: readonly LakeTable[];
};

/**
 * Names are resolved as DuckDB does it in a session that uses the lake: a bare name is looked up in `main`; in a view's text
 * first in the view's own schema; a macro's text is read as if it stood where the macro is called. A table that is read at
 * another version need not be there at the snapshot: it may have been made since. What is `assumed` comes before what the lake
 * has under its name.
 */
export async function reach(
  session: Session,
  query: Query,
  snapshot: number,
  versionOf: (table: TableName) => number = () => snapshot,
  assumed: readonly LakeTable[] = [],
): Promise<Reached> {
  const macros = await macrosAt(session, snapshot);
  const names: OwnNames = {
    lake: session.lake.name,
    isMacro: (path) => findMacro(macros, path, ['main'], names.lake) !== null,
    tableMacros: macros.filter(isTableMacro).map(({macro}) => macro.name),
  };
  const search: Search = {
    session,
    snapshot,
    versionOf,
    names,
    assumed,
    all: (await allNamesAt(session, snapshot)).filter(({table}) => table.schema !== 'freshet_state'),
    macros,
    tables: new Map(),
    views: new Map(),
    reachedMacros: new Map(),
    functions: new Set(),
  };
  await follow(search, await checkQuery(session, query, names), ['main'], userOrigin(query));
  return {
    tables: [...search.tables.values()],
    views: [...search.views.values()],
    macros: [...search.reachedMacros.values()],
    functions: [...search.functions],
    scalarMacros: macros.filter((macro) => !isTableMacro(macro)).map(({macro}) => macro.name),
    assumed: assumed.filter((table) => search.tables.get(tableNameText(table.table)) === table),
  };
}

type Search = {
  readonly session: Session;
  readonly snapshot: number;
  readonly versionOf: (table: TableName) => number;
  readonly names: OwnNames;
  readonly assumed: readonly LakeTable[];
  readonly all: readonly {readonly table: TableName; readonly kind: 'table' | 'view'}[];
  readonly macros: readonly LakeMacro[];
  readonly tables: Map<string, LakeTable>;
  readonly views: Map<string, LakeView>;
  readonly reachedMacros: Map<string, LakeMacro>;
  readonly functions: Set<string>;
};

async function follow(
  search: Search,
  mentions: readonly Mention[],
  schemas: readonly string[],
  origin: Origin,
): Promise<void> {
  for (const mention of mentions) {
    if (mention.kind === 'table') await followTable(search, mention.path, schemas, within(origin, mention));
    if (mention.kind === 'sample') search.functions.add(sampleByChance);
    if (mention.kind === 'function') {
      const macro = findMacro(search.macros, mention.path, schemas, search.names.lake);
      if (macro === null) search.functions.add(functionText(mention));
      else await followMacro(search, macro, schemas, within(origin, mention));
    }
  }
}

/** `age` of one argument counts from today; of two it does not. */
function functionText({path, argumentCount}: Mention & {kind: 'function'}): string {
  const name = (path.at(-1) ?? '').toLowerCase();
  return name === 'age' && argumentCount === 1 ? ageOfToday : name;
}

/** Mistakes in the text of a view or macro are shown where the user's text led to it. */
function within(origin: Origin, {location}: Mention): Origin {
  const position = origin.position(location);
  return {within: origin.within, position: () => position};
}

async function followTable(
  search: Search,
  path: readonly string[],
  schemas: readonly string[],
  origin: Origin,
): Promise<void> {
  const {session, snapshot, versionOf, names} = search;
  const wanted = readings(path, schemas, names.lake);
  const assumed = search.assumed.find(({table}) => wanted.some((name) => isSame(table, name)));
  if (assumed !== undefined) {
    search.tables.set(tableNameText(assumed.table), assumed);
    return;
  }
  const found = findTable(search, wanted);
  if (found === undefined) throw unknownSource(search, path, origin);
  if (found.kind === 'table') {
    const table = await tableAt(session, found.table, versionOf(found.table));
    if (table !== null) search.tables.set(tableNameText(table.table), table);
    return;
  }
  const key = tableNameText(found.table);
  const view = search.views.has(key) ? null : await viewAt(session, found.table, snapshot);
  if (view === null) return;
  const inView: Origin = {within: `View ${key}`, position: origin.position};
  const mentions = await checkText(session, view.sql, inView, names);
  await follow(search, mentions, [found.table.schema, ...schemas], inView);
  search.views.set(key, view);
}

function findTable(
  {all, snapshot, versionOf}: Search,
  wanted: readonly TableName[],
): Search['all'][number] | undefined {
  return wanted
    .map((name) =>
      versionOf(name) === snapshot ? all.find(({table}) => isSame(table, name)) : {table: name, kind: 'table' as const},
    )
    .find((found) => found !== undefined);
}

async function followMacro(
  search: Search,
  macro: LakeMacro,
  schemas: readonly string[],
  origin: Origin,
): Promise<void> {
  const key = tableNameText(macro.macro);
  if (search.reachedMacros.has(key)) return;
  search.reachedMacros.set(key, macro);
  const inMacro: Origin = {within: `Macro ${key}`, position: origin.position};
  for (const {kind, sql: text} of macro.implementations) {
    const query = kind === 'table' ? text : `SELECT ${text}`;
    await follow(search, await checkText(search.session, query, inMacro, search.names), schemas, inMacro);
  }
}

function findMacro(
  macros: readonly LakeMacro[],
  path: readonly string[],
  schemas: readonly string[],
  lake: string,
): LakeMacro | null {
  const found = readings(path, schemas, lake)
    .map((name) => macros.find(({macro}) => isSame(macro, name)))
    .find((macro) => macro !== undefined);
  return found ?? null;
}

function isTableMacro({implementations}: LakeMacro): boolean {
  return implementations.some(({kind}) => kind === 'table');
}

/** What a path may mean, the first that exists counts: `a.b` is table b of schema a, or of the lake a. */
function readings(path: readonly string[], schemas: readonly string[], lake: string): readonly TableName[] {
  const [first = '', second = '', third] = path;
  const isLake = first.toLowerCase() === lake.toLowerCase();
  if (path.length === 1) return schemas.map((schema) => ({schema, name: first}));
  if (third !== undefined) return isLake ? [{schema: second, name: third}] : [];
  return [{schema: first, name: second}, ...(isLake ? [{schema: 'main', name: second}] : [])];
}

function isSame(a: TableName, b: TableName): boolean {
  return a.schema.toLowerCase() === b.schema.toLowerCase() && a.name.toLowerCase() === b.name.toLowerCase();
}

function unknownSource({all, assumed, names}: Search, path: readonly string[], origin: Origin): FreshetError {
  const written = path.join('.');
  const reader = origin.within === null ? '' : `, which ${origin.within} reads`;
  const candidates = [...assumed, ...all].map(({table: {schema, name}}) =>
    schema === 'main' ? name : `${schema}.${name}`,
  );
  return new FreshetError('unknown_source', `There is no table or view "${written}" in the lake${reader}`, {
    position: origin.position(null),
    hint: didYouMean(withoutDefaults(path, names.lake).join('.'), candidates),
  });
}

/** The lake and schema `main` need not be written. */
function withoutDefaults(path: readonly string[], lake: string): readonly string[] {
  const [first, ...rest] = path;
  const isDefault =
    first !== undefined && rest.length > 0 && [lake.toLowerCase(), 'main'].includes(first.toLowerCase());
  return isDefault ? withoutDefaults(rest, lake) : path;
}
