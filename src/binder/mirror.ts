import {FreshetError} from '../errors.ts';
import {lakeAlias} from '../lake/alias.ts';
import type {LakeMacro, LakeTable, LakeView} from '../lake/catalog.ts';
import {isLakeError} from '../lake/errors.ts';
import {unpruned} from '../lake/file-pruning.ts';
import type {Session} from '../lake/session.ts';
import {identifier, join, nothing, path, raw, sql, type Sql} from '../sql.ts';
import {tableNameText, type TableName} from '../table-name.ts';
import type {Reached} from './reach.ts';

export type Mirror = {
  /** Detaches it; the session uses its own memory again. */
  readonly drop: () => Promise<void>;
};

/**
 * Makes an in-memory catalog under the lake's public name and uses it: a view over each source at its own version, with the
 * columns that `reached` lists and no others, and copies of the lake's views and macros. A user's text runs in it untouched, as
 * it was bound when the table was created, and sees nothing else. Call it outside of a transaction, which could not write the
 * lake afterwards.
 */
export async function createMirror(
  session: Session,
  {
    name,
    reached,
    versionOf,
    isRun = false,
  }: {
    readonly name: string;
    readonly reached: Reached;
    readonly versionOf: (table: TableName) => number;
    /** Whether queries are run in it, not only bound: then files are not left out wrongly. */
    readonly isRun?: boolean;
  },
): Promise<Mirror> {
  const {tables, views, macros, assumed} = reached;
  const named = [...tables.map(({table}) => table), ...views.map(({view}) => view), ...macros.map(({macro}) => macro)];
  const schemas = new Set(named.map(({schema}) => schema).filter((schema) => schema !== 'main'));
  await session.run(
    script([
      sql`ATTACH ':memory:' AS ${identifier(name)}`,
      ...[...schemas].map((schema) => sql`CREATE SCHEMA ${path(name, schema)}`),
      ...(assumed.length === 0 ? [] : assumedLake(assumed)),
      ...tables.map((table) => sourceView(name, table, assumed.includes(table) ? null : versionOf(table.table), isRun)),
      sql`USE ${path(name, 'main')}`,
      ...macros.map((macro) => copyOfMacro(name, macro)),
    ]),
  );
  for (const view of views) await copyView(session, name, view);
  return {
    drop: async () => {
      const lake = assumed.length === 0 ? [] : [sql`DETACH ${identifier(assumedAlias)}`];
      await session.run(script([sql`USE memory`, sql`DETACH ${identifier(name)}`, ...lake]));
    },
  };
}

function script(statements: readonly Sql[]): Sql {
  return join(statements, ';\n');
}

/** Where tables are that are only assumed: empty, in a lake of its own, so that a plan scans them as it scans the lake's. */
const assumedAlias = 'freshet_assumed';

function assumedLake(tables: readonly LakeTable[]): readonly Sql[] {
  const schemas = new Set(tables.map(({table}) => table.schema).filter((schema) => schema !== 'main'));
  return [
    // Nothing is ever written there.
    sql`ATTACH 'ducklake::memory:' AS ${identifier(assumedAlias)} (DATA_PATH 'nowhere')`,
    ...[...schemas].map((schema) => sql`CREATE SCHEMA ${path(assumedAlias, schema)}`),
    ...tables.map(({table: {schema, name}, columns}) => {
      const list = join(columns.map((column) => sql`${identifier(column.name)} ${raw(column.type)}`));
      return sql`CREATE TABLE ${path(assumedAlias, schema, name)} (${list})`;
    }),
  ];
}

/** Without a version the table is one that is only assumed. */
function sourceView(
  catalog: string,
  {table: {schema, name}, columns}: LakeTable,
  version: number | null,
  isRun: boolean,
): Sql {
  const list = join(columns.map((column) => (isRun ? unpruned(column) : identifier(column.name))));
  const source =
    version === null
      ? path(assumedAlias, schema, name)
      : sql`${path(lakeAlias, schema, name)} AT (VERSION => ${version})`;
  return sql`CREATE VIEW ${path(catalog, schema, name)} AS SELECT ${list} FROM ${source}`;
}

/** A view is bound when it is made: one whose sources have changed under it is named here. */
async function copyView(session: Session, catalog: string, {view, sql: text, columnAliases}: LakeView): Promise<void> {
  const aliases = columnAliases.length === 0 ? nothing : sql` (${join(columnAliases.map(identifier))})`;
  try {
    await session.run(sql`CREATE VIEW ${path(catalog, view.schema, view.name)}${aliases} AS ${raw(text)}`);
  } catch (error) {
    if (!isLakeError(error, 'statement')) throw error;
    const [why = ''] = error.message.split('\n');
    throw new FreshetError('invalid_query', `View ${tableNameText(view)} no longer fits what it reads: ${why}`, {
      cause: error,
    });
  }
}

function copyOfMacro(catalog: string, {macro: {schema, name}, implementations}: LakeMacro): Sql {
  const bodies = implementations.map(({kind, sql: text, parameters}) => {
    const list = join(parameters.map(parameter));
    return kind === 'table' ? sql`(${list}) AS TABLE ${raw(text)}` : sql`(${list}) AS ${raw(text)}`;
  });
  return sql`CREATE MACRO ${path(catalog, schema, name)} ${join(bodies)}`;
}

function parameter({name, type, defaultValue}: LakeMacro['implementations'][number]['parameters'][number]): Sql {
  const typed = type === null ? identifier(name) : sql`${identifier(name)} ${raw(type)}`;
  return defaultValue === null ? typed : sql`${typed} := ${raw(defaultValue)}`;
}
