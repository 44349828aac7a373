import {assert} from '../assert.ts';
import {lakeAlias} from '../lake/alias.ts';
import {isPrunedWrongly, unpruned} from '../lake/file-pruning.ts';
import type {Session} from '../lake/session.ts';
import type {LookUp} from '../refresh/messages.ts';
import type {Names} from '../relation/print.ts';
import type {Scan} from '../relation/relation.ts';
import {identifier, join, path, sql, type Sql} from '../sql.ts';
import {tableNameText} from '../table-name.ts';

/** What is known of the temporary tables of this refresh: how many rows they have, and whether a column holds a null. */
export class Facts {
  readonly #nulls = new Map<string, ReadonlySet<string>>();
  readonly #rows = new Map<string, number>();

  /** Looks at a table that has just been made, and answers how many rows it has. */
  async learn(session: Session, table: string, columns: readonly string[]): Promise<number> {
    const counts = columns.map((column, i) => sql`count(${identifier(column)}) AS ${identifier(`filled_${i}`)}`);
    const [row] = await session.rows<Record<string, number>>(
      sql`SELECT ${join([sql`count(*) AS count`, ...counts])} FROM ${identifier(table)}`,
    );
    const all = row?.['count'] ?? 0;
    this.#nulls.set(table, new Set(columns.filter((_, i) => row?.[`filled_${i}`] !== all)));
    this.#rows.set(table, all);
    return all;
  }

  /** Of a table that was looked at. */
  rowsOf(table: string): number {
    const rows = this.#rows.get(table);
    assert(rows !== undefined, `${table} was looked at`);
    return rows;
  }

  mayBeNull(table: string, column: string): boolean {
    return this.#nulls.get(table)?.has(column) ?? true;
  }
}

/** How a relation is printed for the lake: tables under the private alias, each end at its snapshot. */
export function lakeNames(lookUp: LookUp & {kind: 'refresh'}, facts: Facts): Names & {readonly facts: Facts} {
  const ranges = new Map(lookUp.sources.map((range) => [range.source, range]));
  return {
    facts,
    scan: (scan, alias) => {
      const {source, at} = scan;
      const range = ranges.get(tableNameText(source));
      const isUnchanged = range?.parts.length === 0;
      const snapshot = (at === 'old' && !isUnchanged ? range?.from : range?.to) ?? lookUp.dataVersion;
      return scanned(scan, alias, snapshot);
    },
    mayBeNull: (staged, column) => isPrunedWrongly(column.type) || facts.mayBeNull(staged.name, column.name),
  };
}

/** A source at a snapshot; in a SELECT of its own where files may not be left out by some column. */
function scanned({source, columns}: Scan, alias: Sql, snapshot: number): Sql {
  const table = path(lakeAlias, source.schema, source.name);
  if (!columns.some(({type}) => isPrunedWrongly(type))) return sql`${table} AS ${alias} AT (VERSION => ${snapshot})`;
  return sql`(SELECT ${join(columns.map(unpruned))} FROM ${table} AT (VERSION => ${snapshot})) AS ${alias}`;
}
