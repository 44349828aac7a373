import {createHash} from 'node:crypto';
import type {Definition} from '../definition/definition.ts';
import type {Reason} from '../delta/reason.ts';
import {FreshetError} from '../errors.ts';
import {tableNameText, type TableName} from '../table-name.ts';
import {macrosAt, tableAt, viewAt, type LakeColumn, type LakeTable} from './catalog.ts';
import type {Session} from './session.ts';

/** What a dynamic table's contents were made under. While it holds, the feeds tell all that has changed. */
export type Fingerprint = {
  /** Hash of the query and of the settings it was bound under. */
  readonly definition: string;
  /** Used columns only. */
  readonly tables: readonly {
    readonly table: string;
    readonly tableId: number;
    readonly columns: readonly LakeColumn[];
  }[];
  readonly views: readonly {readonly view: string; readonly hash: string}[];
  readonly macros: readonly {readonly macro: string; readonly hash: string}[];
  /** The target that the contents went into; what was read without contents has none. */
  readonly target?: FingerprintedTarget;
  /**
   * What is kept of its groups beside the target. `wanted`: nothing yet, but the last change was small enough to be merged; null:
   * they could not be kept.
   */
  readonly groups?: FingerprintedGroups | 'wanted' | null;
};

/** The hidden table of groups that goes with the contents. `meaning`: hash of what its columns are. */
export type FingerprintedGroups = {
  readonly tableId: number;
  readonly columns: readonly LakeColumn[];
  readonly rows: number;
  readonly meaning: string;
};

/** What is kept of the groups, if anything is. */
export function keptIn(fingerprint: Fingerprint | null): FingerprintedGroups | null {
  const groups = fingerprint?.groups ?? null;
  return groups === 'wanted' ? null : groups;
}

export type FingerprintedTarget = {
  readonly tableId: number;
  readonly columns: readonly LakeColumn[];
  /** The snapshot at which the publication read it: rows that others wrote after it are not accounted for. */
  readonly asOf?: number;
};

/** What a definition reaches. */
export type Reached = {
  readonly definition: Pick<Definition, 'query' | 'settings'>;
  readonly sources: readonly {readonly table: TableName; readonly columns: readonly string[]}[];
  readonly views: readonly TableName[];
  readonly macros: readonly TableName[];
};

/** `snapshotOf` a source is where the refresh will read it, of a view or macro the data version. */
export async function readFingerprint(
  session: Session,
  {definition, sources, views, macros}: Reached,
  snapshotOf: (name: TableName) => number,
): Promise<Fingerprint> {
  const tables = [];
  for (const source of sources) tables.push(await readTable(session, source, snapshotOf(source.table)));
  const texts = [];
  for (const view of views)
    texts.push({view: tableNameText(view), hash: await readView(session, view, snapshotOf(view))});
  const [anyMacro] = macros;
  const all = anyMacro === undefined ? [] : await macrosAt(session, snapshotOf(anyMacro));
  return {
    definition: definitionHash(definition),
    tables,
    views: texts,
    macros: macros.map((name) => ({
      macro: tableNameText(name),
      hash: hash(all.filter(({macro}) => isSame(macro, name)).map(({implementations}) => implementations)),
    })),
  };
}

export function definitionHash({query, settings}: Pick<Definition, 'query' | 'settings'>): string {
  return hash([query, settings]);
}

/** Why the contents can't be carried on incrementally; null: they can. */
export function compareFingerprints(stored: Fingerprint, now: Fingerprint): Reason | null {
  if (stored.definition !== now.definition) return {kind: 'definition-changed', detail: 'its query or its settings'};
  const gone = namesOf(stored).find((name) => !namesOf(now).includes(name));
  if (gone !== undefined) return {kind: 'definition-changed', detail: `${gone} no longer is what a name in it means`};
  for (const {view, hash} of now.views) {
    if (stored.views.find((candidate) => candidate.view === view)?.hash !== hash) return {kind: 'view-changed', view};
  }
  for (const {macro, hash} of now.macros) {
    if (stored.macros.find((candidate) => candidate.macro === macro)?.hash !== hash)
      return {kind: 'view-changed', view: macro};
  }
  for (const table of now.tables) {
    const before = stored.tables.find((candidate) => candidate.table === table.table);
    if (before?.tableId !== table.tableId) return {kind: 'source-replaced', source: table.table};
    const detail = columnsChanged(before.columns, table.columns);
    if (detail !== null) return {kind: 'source-schema-changed', source: table.table, detail};
  }
  return null;
}

/** Whether a table of ours is another one, or has other columns under their names, than the contents went into. */
export function isTargetChanged(
  stored: Pick<FingerprintedTarget, 'tableId' | 'columns'> | undefined,
  {tableId, columns}: LakeTable,
): boolean {
  return stored?.tableId !== tableId || columnsChanged(stored.columns, columns) !== null;
}

/** A name may mean another thing once what stood in its way is gone: then something stored is no longer reached. */
function namesOf({tables, views, macros}: Fingerprint): readonly string[] {
  return [...tables.map(({table}) => table), ...views.map(({view}) => view), ...macros.map(({macro}) => macro)];
}

function columnsChanged(stored: readonly LakeColumn[], now: readonly LakeColumn[]): string | null {
  for (const {name, fieldId, type, inner} of now) {
    const before = stored.find((column) => column.name === name);
    // A name on another field: dropped and added again, or two names swapped. The feed is empty, and every row another.
    if (before === undefined || before.fieldId !== fieldId) return `"${name}" is another column`;
    if (String(before.inner) !== String(inner)) return `a field of "${name}" is another one`;
    if (before.type !== type) return `"${name}" was ${before.type} and is ${type}`;
  }
  return null;
}

async function readTable(
  session: Session,
  {table, columns}: Reached['sources'][number],
  snapshot: number,
): Promise<Fingerprint['tables'][number]> {
  const found = await tableAt(session, table, snapshot);
  const name = tableNameText(table);
  if (found === null) throw new FreshetError('unknown_source', `Source ${name} is no longer in the lake`);
  const used = columns.map((wanted) => {
    const column = found.columns.find((candidate) => candidate.name.toLowerCase() === wanted.toLowerCase());
    if (column === undefined)
      throw new FreshetError('source_changed', `Source ${name} has no column "${wanted}" any more`);
    return column;
  });
  return {table: name, tableId: found.tableId, columns: used};
}

async function readView(session: Session, view: TableName, snapshot: number): Promise<string> {
  const found = await viewAt(session, view, snapshot);
  if (found === null) throw new FreshetError('unknown_source', `View ${tableNameText(view)} is no longer in the lake`);
  return hash([found.sql, found.columnAliases]);
}

function isSame(left: TableName, right: TableName): boolean {
  return (
    left.schema.toLowerCase() === right.schema.toLowerCase() && left.name.toLowerCase() === right.name.toLowerCase()
  );
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
}
