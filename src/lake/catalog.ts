import {identifier, join, literal, nothing, path, raw, sql, type Sql} from '../sql.ts';
import type {TableName} from '../table-name.ts';
import {lakeAlias} from './alias.ts';
import {changesOf, type SnapshotChange} from './changes-made.ts';
import {columnTypes, type CatalogColumn, type LakeColumn} from './column-types.ts';

export type {LakeColumn};
import type {Session} from './session.ts';

/**
 * What the catalog says as of a snapshot. It is read from DuckLake's own tables, by another transaction of PostgreSQL than the
 * one that reads data: so each query names its snapshot, and nothing newer shows.
 */

/** A table or view of the lake by the name it has there; `name` as somebody wrote it may differ in case. */
export type LakeTable = {
  /** Spelled as in the catalog. */
  readonly table: TableName;
  /** Another table's id is another, also when the name is the same. */
  readonly tableId: number;
  readonly columns: readonly LakeColumn[];
  /** As of which this is what it is. */
  readonly snapshot: number;
};
export type LakeView = {
  readonly view: TableName;
  /** With `{DUCKLAKE_CATALOG}` replaced by the lake's public name. */
  readonly sql: string;
  readonly columnAliases: readonly string[];
};
export type LakeMacro = {
  readonly macro: TableName;
  readonly implementations: readonly {
    readonly kind: 'scalar' | 'table';
    readonly sql: string;
    readonly parameters: readonly {
      readonly name: string;
      /** As DuckDB writes it; null: of any type. */
      readonly type: string | null;
      /** As SQL. */
      readonly defaultValue: string | null;
    }[];
  }[];
};

/** A table of DuckLake's catalog. */
export function catalogTable({lake}: Session, table: string): Sql {
  return path(`__ducklake_metadata_${lakeAlias}`, lake.metadataSchema, `ducklake_${table}`);
}

/**
 * A question in PostgreSQL's own SQL about the tables of DuckLake's catalog, which stand in it by `postgresTable`: what comes back are
 * the answer's rows alone, by one round trip, in no order. Of the tables that a join in DuckDB names each would be fetched by itself, and often whole.
 */
export function askedOfPostgres(question: Sql): Sql {
  return sql`postgres_query(${literal(`__ducklake_metadata_${lakeAlias}`)}, ${literal(question.text)})`;
}

export function postgresTable({lake}: Session, table: string): Sql {
  return path(lake.metadataSchema, `ducklake_${table}`);
}

/** The newest snapshot; inside a transaction it is what all its reads see from now on. */
export async function currentSnapshot(session: Session): Promise<{id: number}> {
  const [row] = await session.rows<{id: number}>(sql`SELECT id FROM ${identifier(lakeAlias)}.current_snapshot()`);
  return row!; // One row always.
}

/** ISO 8601 in UTC; null when there is no such snapshot (any more). */
export async function snapshotTime(session: Session, id: number): Promise<string | null> {
  const [row] = await session.rows<{time: string}>(
    sql`SELECT snapshot_time AS time FROM ${catalogTable(session, 'snapshot')} WHERE snapshot_id = ${id}`,
  );
  return row?.time ?? null;
}

/**
 * The first id from `from` up to `to` that is not there any more. With one of them expired the feed between may be empty
 * although rows changed, without an error.
 */
export async function missingSnapshot(session: Session, from: number, to: number): Promise<number | null> {
  const [stretch] = await stretches(session, [{from, to}]);
  return stretch?.missing ?? null;
}

/** What is left of the snapshots from `from` up to `to`, both of them included. */
export type Stretch = {
  /** The first that is not there any more. */
  readonly missing: number | null;
  /** When its ends were committed; null for one that is not there any more. */
  readonly fromTime: string | null;
  readonly toTime: string | null;
};

/** An empty stretch misses nothing, and has no ends. */
export async function stretches(
  session: Session,
  wanted: readonly {readonly from: number; readonly to: number}[],
): Promise<Stretch[]> {
  if (wanted.length === 0) return [];
  const values = wanted.map(({from, to}, place) => sql`(${place}, ${from}, ${to})`);
  const rows = await session.rows<Stretch & {place: number}>(
    sql`FROM ${askedOfPostgres(sql`SELECT place, min(id) FILTER (WHERE snapshot_id IS NULL) AS missing,
        max(snapshot_time) FILTER (WHERE id = "from") AS "fromTime", max(snapshot_time) FILTER (WHERE id = "to") AS "toTime"
      FROM (VALUES ${join(values)}) AS wanted(place, "from", "to") CROSS JOIN generate_series("from", "to") AS id
      LEFT JOIN ${postgresTable(session, 'snapshot')} ON snapshot_id = id
      GROUP BY place`)}`,
  );
  const empty: Stretch = {missing: null, fromTime: null, toTime: null};
  return wanted.map((_, place) => rows.find((row) => row.place === place) ?? empty);
}

export async function tableAt(session: Session, table: TableName, snapshot: number): Promise<LakeTable | null> {
  const [found] = await tablesAt(session, [{table, snapshot}]);
  return found ?? null;
}

/** The same table under whatever name it had then. */
export async function tableById(session: Session, tableId: number, snapshot: number): Promise<LakeTable | null> {
  const [name] = await session.rows<TableName>(
    sql`SELECT s.schema_name AS schema, t.table_name AS name
      FROM ${catalogTable(session, 'table')} AS t JOIN ${catalogTable(session, 'schema')} AS s USING (schema_id)
      WHERE t.table_id = ${tableId} AND ${standsAt('t', snapshot)} AND ${standsAt('s', snapshot)}`,
  );
  return name === undefined ? null : await tableAt(session, name, snapshot);
}

/** Each as of its own snapshot; null for one that is not there. Names are matched as DuckDB does, without regard to case. */
export async function tablesAt(
  session: Session,
  wanted: readonly {readonly table: TableName; readonly snapshot: number}[],
): Promise<(LakeTable | null)[]> {
  if (wanted.length === 0) return [];
  const values = wanted.map(
    ({table, snapshot}, place) => sql`(${place}, ${literal(table.schema)}, ${literal(table.name)}, ${snapshot})`,
  );
  const at = sql`wanted.snapshot`;
  const rows = await session.rows<CatalogColumn & {place: number; schema: string; table: string; tableId: number}>(
    sql`FROM ${askedOfPostgres(sql`SELECT wanted.place, s.schema_name AS schema, t.table_name AS "table", t.table_id AS "tableId",
        c.column_id AS "fieldId", c.column_name AS name, c.column_type AS type, c.parent_column AS parent, c.column_order AS "order"
      FROM (VALUES ${join(values)}) AS wanted(place, schema, name, snapshot)
      JOIN ${postgresTable(session, 'schema')} AS s ON ${isSameName('s.schema_name', 'wanted.schema')} AND ${standsAt('s', at)}
      JOIN ${postgresTable(session, 'table')} AS t
        ON t.schema_id = s.schema_id AND ${isSameName('t.table_name', 'wanted.name')} AND ${standsAt('t', at)}
      JOIN ${postgresTable(session, 'column')} AS c ON c.table_id = t.table_id AND ${standsAt('c', at)}`)}
      ORDER BY "order", "fieldId"`,
  );
  const found = wanted.map(({snapshot}, place): LakeTable | null => {
    const own = rows.filter((row) => row.place === place);
    const [first] = own;
    if (first === undefined) return null;
    const {schema, table: name, tableId} = first;
    return {table: {schema, name}, tableId, columns: columnTypes(own), snapshot};
  });
  return await unquoted(session, found);
}

/** Which names of fields need quotes only DuckDB knows. */
async function unquoted(session: Session, tables: readonly (LakeTable | null)[]): Promise<(LakeTable | null)[]> {
  const types = tables.flatMap((table) => table?.columns.map(({type}) => type) ?? []);
  const quoted = [...new Set(types.filter((type) => type.includes('"')))];
  if (quoted.length === 0) return [...tables];
  const [row] = await session.rows<{types: string[]}>(
    sql`SELECT [${join(quoted.map((type) => sql`typeof(NULL::${raw(type)})`))}] AS types`,
  );
  const plain = (column: LakeColumn): LakeColumn => ({
    ...column,
    type: row?.types[quoted.indexOf(column.type)] ?? column.type,
  });
  return tables.map((table) => table && {...table, columns: table.columns.map(plain)});
}

export async function viewAt(session: Session, name: TableName, snapshot: number): Promise<LakeView | null> {
  const [found] = await session.rows<{schema: string; name: string; text: string; aliases: string | null}>(
    sql`SELECT s.schema_name AS schema, v.view_name AS name, v.sql AS text, v.column_aliases AS aliases
      FROM ${catalogTable(session, 'view')} AS v JOIN ${catalogTable(session, 'schema')} AS s USING (schema_id)
      WHERE ${named('v.view_name', name.name)} AND ${named('s.schema_name', name.schema)}
        AND ${standsAt('v', snapshot)} AND ${standsAt('s', snapshot)}`,
  );
  if (found === undefined) return null;
  return {
    view: {schema: found.schema, name: found.name},
    sql: withLakeName(session, found.text),
    columnAliases: readAliases(found.aliases ?? ''),
  };
}

export async function macrosAt(session: Session, snapshot: number): Promise<LakeMacro[]> {
  const rows = await session.rows<{
    schema: string;
    name: string;
    implementations: {
      kind: string;
      sql: string;
      parameters: {name: string | null; type: string; value: string | null; valueType: string}[];
    }[];
  }>(
    sql`WITH implementation AS (
        SELECT i.macro_id, i.impl_id, any_value(i.type) AS kind, any_value(i.sql) AS sql,
          list({name: p.parameter_name, type: p.parameter_type, value: p.default_value, valueType: p.default_value_type} ORDER BY p.column_id) AS parameters
        FROM ${catalogTable(session, 'macro_impl')} AS i
        LEFT JOIN ${catalogTable(session, 'macro_parameters')} AS p ON p.macro_id = i.macro_id AND p.impl_id = i.impl_id
        GROUP BY ALL)
      SELECT any_value(s.schema_name) AS schema, any_value(m.macro_name) AS name,
        list({kind: i.kind, sql: i.sql, parameters: i.parameters} ORDER BY i.impl_id) AS implementations
      FROM ${catalogTable(session, 'macro')} AS m JOIN ${catalogTable(session, 'schema')} AS s USING (schema_id)
      JOIN implementation AS i USING (macro_id)
      WHERE ${standsAt('m', snapshot)} AND ${standsAt('s', snapshot)}
      GROUP BY m.macro_id ORDER BY m.macro_id`,
  );
  return rows.map(({schema, name, implementations}) => ({
    macro: {schema, name},
    implementations: implementations.map((implementation) => ({
      kind: implementation.kind === 'table' ? 'table' : 'scalar',
      sql: withLakeName(session, implementation.sql),
      parameters: implementation.parameters.flatMap(({name, type, value, valueType}) =>
        name === null ? [] : [{name, type: macroType(type), defaultValue: macroDefault(value, valueType)}],
      ),
    })),
  }));
}

/** DuckLake's name of a type is not DuckDB's: its int8 is one byte, DuckDB's eight. */
function macroType(type: string): string | null {
  const [column] = columnTypes([{fieldId: 0, name: '', type, parent: null}]);
  return type === 'unknown' || column === undefined ? null : column.type;
}

/** Stored as a bare text, which alone may mean something else (2020-01-01 is 2018); a parameter without a default is there as NULL of no type. */
function macroDefault(value: string | null, type: string): string | null {
  if (value === null || type === 'unknown') return null;
  if (type === 'varchar') return literal(value).text;
  return `CAST(${value === 'NULL' ? value : literal(value).text} AS ${macroType(type)})`;
}

/** All that a query may name, for suggestions and for what stands in a name's way. */
export async function allNamesAt(
  session: Session,
  snapshot: number,
): Promise<{table: TableName; kind: 'table' | 'view'}[]> {
  const rows = await session.rows<{schema: string; name: string; kind: 'table' | 'view'}>(
    sql`SELECT s.schema_name AS schema, o.name, o.kind
      FROM (
        SELECT schema_id, table_name AS name, 'table' AS kind FROM ${catalogTable(session, 'table')} AS t WHERE ${standsAt('t', snapshot)}
        UNION ALL
        SELECT schema_id, view_name, 'view' FROM ${catalogTable(session, 'view')} AS v WHERE ${standsAt('v', snapshot)}
      ) AS o
      JOIN ${catalogTable(session, 'schema')} AS s USING (schema_id)
      WHERE ${standsAt('s', snapshot)} ORDER BY ALL`,
  );
  return rows.map(({schema, name, kind}) => ({table: {schema, name}, kind}));
}

/** What snapshots in (from, to] did to a table, those that did nothing left out. */
export async function tableHistory(
  session: Session,
  tableId: number,
  from: number,
  to: number,
): Promise<SnapshotChange[]> {
  return (await tableHistories(session, [tableId], from, to))(tableId);
}

/** The same for several tables. */
export async function tableHistories(
  session: Session,
  tableIds: readonly number[],
  from: number,
  to: number,
): Promise<(tableId: number) => SnapshotChange[]> {
  const all = changesMade(session, tableIds, from, to);
  const rows =
    tableIds.length === 0 ? [] : await session.rows<ChangesMade>(sql`FROM ${askedOfPostgres(all)} ORDER BY snapshot`);
  return (tableId) => rows.flatMap(({snapshot, made}) => changesOf(tableId, snapshot, made) ?? []);
}

/**
 * The last snapshot after `after`, `except` left out, that wrote rows of a table; compaction moves none. Null when none is known (any
 * more). A low `after` costs what the log of changes is long.
 */
export async function lastWrite(
  session: Session,
  tableId: number,
  after = -1,
  except?: number,
): Promise<number | null> {
  const all = changesMade(session, [tableId], after, Number.MAX_SAFE_INTEGER);
  for (const limit of [sql`LIMIT 20`, nothing]) {
    const last = askedOfPostgres(sql`${all} ORDER BY snapshot_id DESC ${limit}`);
    const rows = await session.rows<ChangesMade>(sql`FROM ${last} ORDER BY snapshot DESC`);
    const found = rows.find(({snapshot, made}) => {
      const change = snapshot === except ? null : changesOf(tableId, snapshot, made);
      return change !== null && (change.inserts || change.deletes);
    });
    if (found !== undefined || rows.length < 20) return found?.snapshot ?? null;
  }
  return null;
}

type ChangesMade = {readonly snapshot: number; readonly made: string};

/** As PostgreSQL is asked. A superset: an id may stand in another one, or in a name. */
function changesMade(session: Session, tableIds: readonly number[], from: number, to: number): Sql {
  const told = tableIds.map((tableId) => sql`strpos(changes_made, ${literal(`:${tableId}`)}) > 0`);
  return sql`SELECT snapshot_id AS snapshot, changes_made AS made FROM ${postgresTable(session, 'snapshot_changes')}
    WHERE snapshot_id > ${from} AND snapshot_id <= ${to} AND (${join(told, ' OR ')})`;
}

/** That a row of the catalog under `alias` is in force at a snapshot. */
function standsAt(alias: string, snapshot: number | Sql): Sql {
  const row = identifier(alias);
  return sql`${row}.begin_snapshot <= ${snapshot} AND (${row}.end_snapshot IS NULL OR ${row}.end_snapshot > ${snapshot})`;
}

/** As DuckDB takes names for the same, whatever the collation of PostgreSQL's database is. */
function isSameName(one: 's.schema_name' | 't.table_name', other: 'wanted.schema' | 'wanted.name'): Sql {
  return sql`lower(${raw(one)} COLLATE "C") = lower(${raw(other)} COLLATE "C")`;
}

function named(column: 'v.view_name' | 's.schema_name', name: string): Sql {
  return sql`lower(${raw(column)}) = lower(${literal(name)})`;
}

/** DuckLake stores the texts of views and macros with a place for whatever name the lake is attached under. */
function withLakeName({lake}: Session, text: string): string {
  return text.replaceAll('{DUCKLAKE_CATALOG}', identifier(lake.name).text);
}

function readAliases(text: string): string[] {
  return [...text.matchAll(/"((?:[^"]|"")*)"/g)].map((match) => (match[1] ?? '').replaceAll('""', '"'));
}
