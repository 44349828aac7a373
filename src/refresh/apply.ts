import type {BoundOutput} from '../binder/bound.ts';
import {identityTerms} from '../relation/identity.ts';
import type {Program, Root} from '../delta/program.ts';
import {columnName, print} from '../relation/print.ts';
import type {Names} from '../relation/print.ts';
import {columnsOfRelation} from '../relation/relation.ts';
import type {Relation} from '../relation/relation.ts';
import {identifier, indented, join, nothing, raw, sql} from '../sql.ts';
import type {Sql} from '../sql.ts';
import {rowsOfMerge} from './merge.ts';

/**
 * From the root of a program to the rows that leave and enter the target: SQL only, over temporary tables whose columns are
 * `o0 … on` for the outputs by place. Whole rows are told apart by identity (−0.0 is not 0.0), keys as GROUP BY does.
 */

/** The target and what it holds; how many rows, where that is known. */
export type Target = {readonly table: Sql; readonly outputs: readonly BoundOutput[]; readonly rows?: number};

/**
 * Statements in order; afterwards `stale` has the rowids that go and `added` the rows that come, with `copies` of each. `ifAny`:
 * a temporary table without whose rows there is nothing to do. `keysOneByOne`: of more keys than these only the range is to decide
 * which files are read.
 */
export type Statement = {
  readonly label: string;
  readonly text: Sql;
  readonly ifAny?: string;
  readonly keysOneByOne?: number;
};

export function output(place: number): Sql {
  return identifier(`o${place}`);
}

/** From what is staged to the rows that go and come. `hidden`: the table of groups, where the program has one. */
export function rootStatements(
  {root}: Program,
  target: Target,
  names: Names,
  hidden: Target | null,
): readonly Statement[] {
  switch (root.kind) {
    case 'unchanged':
      return [];
    case 'rows':
      return rowsOf(root, target, names);
    case 'keys':
      return rowsOfKeys(root, target, names);
    case 'merge':
      return rowsOfMerge(root, target, names, hidden);
    case 'whole':
      return rowsOfWhole(root, target, names);
  }
}

/** Net change, row by row: rows in excess of what went are added, rows in deficit are looked up in the target, copy by copy. */
function rowsOf({change, weight}: Root & {kind: 'rows'}, target: Target, names: Names): readonly Statement[] {
  return netted(
    sql`SELECT ${storedOutputs(change, target)}, ${identifier(columnName(weight))} AS weight FROM (\n${indented(print(change, names))}\n) AS change`,
    target,
  );
}

/** The difference between the whole result, computed again, and the target. */
export function difference(result: Sql, target: Target): readonly Statement[] {
  const held = target.outputs.map(({name}, place) => sql`${identifier(name)} AS ${output(place)}`);
  return netted(
    sql`SELECT *, 1 AS weight FROM (\n${result}\n) AS result\nUNION ALL\nSELECT ${join(held)}, -1 FROM ${target.table}`,
    target,
  );
}

function netted(change: Sql, target: Target): readonly Statement[] {
  const outputs = target.outputs.map((_, place) => output(place));
  const identity = target.outputs.flatMap(({storedType}, place) => [
    output(place),
    ...identityTerms(output(place), storedType),
  ]);
  return [
    {
      label: 'net the change',
      text: sql`CREATE TEMP TABLE net AS
SELECT ${join(outputs)}, CAST(sum(weight) AS BIGINT) AS copies
FROM (\n${change}\n) AS change
GROUP BY ${join(identity)}
HAVING sum(weight) <> 0`,
    },
    {
      label: 'find the rows that go',
      // The window sees no values: a float that it partitions by comes out of it as 0.0 where it was -0.0.
      text: sql`CREATE TEMP TABLE stale AS
SELECT row_id, gone_id
FROM (
  SELECT target.row_id, gone.row_id AS gone_id, gone.copies, row_number() OVER (PARTITION BY gone.row_id ORDER BY target.row_id) AS place
  FROM ${rowsOfTarget(target)} AS target
  INNER JOIN (SELECT rowid AS row_id, * FROM net WHERE copies < 0) AS gone ON ${same(target, raw('target'), raw('gone'))}
) AS held
WHERE place <= -copies`,
    },
    ...(target.outputs.some(({storedType}) => isSigned(storedType)) ? withoutSigns(target) : []),
    {label: 'rows that come', text: sql`CREATE TEMP TABLE added AS FROM net WHERE copies > 0`},
  ];
}

function rowsOfTarget({outputs, table}: Target): Sql {
  const here = outputs.map(({name}, place) => sql`${identifier(name)} AS ${output(place)}`);
  return sql`(SELECT rowid AS row_id, ${join(here)} FROM ${table})`;
}

/**
 * The dictionary of a Parquet file has one entry for 0.0 and −0.0, and one for all NaNs: what was written with one sign is read
 * with the other. So a row that goes and was not found is taken from those that differ from it in such signs alone.
 */
function withoutSigns(target: Target): readonly Statement[] {
  const outputs = target.outputs.map((_, place) => output(place));
  const terms = target.outputs.flatMap(({storedType}, place) => [
    output(place),
    ...(isSigned(storedType) ? [] : identityTerms(output(place), storedType)),
  ]);
  return [
    {
      label: 'rows that go and were not found',
      text: sql`CREATE TEMP TABLE unfound AS
SELECT ${join(outputs)}, CAST(sum(-copies - found) AS BIGINT) AS copies
FROM (SELECT *, (SELECT count(*) FROM stale WHERE gone_id = net.rowid) AS found FROM net WHERE copies < 0) AS gone
GROUP BY ${join(terms)}
HAVING sum(-copies - found) > 0`,
    },
    {
      label: 'find those whose sign was lost',
      ifAny: 'unfound',
      text: sql`INSERT INTO stale
SELECT row_id, NULL
FROM (
  SELECT target.row_id, gone.copies, row_number() OVER (PARTITION BY gone.row_id ORDER BY target.row_id) AS place
  FROM (FROM ${rowsOfTarget(target)} AS target ANTI JOIN stale USING (row_id)) AS target
  INNER JOIN (SELECT rowid AS row_id, * FROM unfound) AS gone ON ${same(target, raw('target'), raw('gone'), isSigned)}
) AS held
WHERE place <= copies`,
    },
  ];
}

function isSigned(type: string): boolean {
  return type === 'DOUBLE' || type === 'FLOAT';
}

/** The rows of the affected keys: those the target holds and no longer should go, those it should hold and doesn't come. */
function rowsOfKeys({keys, on, fresh}: Root & {kind: 'keys'}, target: Target, names: Names): readonly Statement[] {
  return [
    ...recomputed(fresh, target, names),
    heldRows(target, affectedRows({keys, on}, target, names)),
    ...replaced(target),
  ];
}

/** The whole result against the whole target. */
function rowsOfWhole({fresh}: Root & {kind: 'whole'}, target: Target, names: Names): readonly Statement[] {
  return [...recomputed(fresh, target, names), heldRows(target, nothing), ...replaced(target)];
}

/** What narrows the target to the rows of some keys; nothing without keys. */
export function affectedRows(
  {keys, on}: Pick<Root & {kind: 'keys'}, 'keys' | 'on'>,
  target: Target,
  names: Names,
): Sql {
  const terms = on.flatMap(({place, key}) => {
    const shown = target.outputs[place];
    return shown ? [{value: identifier(shown.name), key}] : [];
  });
  if (terms.length === 0) return nothing;
  const list = join(terms.map(({key}) => identifier(key.name)));
  if (!terms.some(({key}) => names.mayBeNull(keys, key)))
    return sql`WHERE ${tuple(terms.map(({value}) => value))} IN (SELECT ${list} FROM ${identifier(keys.name)})`;
  return sql`AS target SEMI JOIN ${identifier(keys.name)} AS keys ON ${join(
    terms.map(({value, key}) => sql`target.${value} IS NOT DISTINCT FROM keys.${identifier(key.name)}`),
    ' AND ',
  )}`;
}

function recomputed(fresh: Relation, target: Target, names: Names): readonly Statement[] {
  return [{label: 'recompute', text: freshRows(fresh, target, names)}];
}

/** The temporary table of the rows that the target should hold. */
export function freshRows(fresh: Relation, target: Target, names: Names): Sql {
  return sql`CREATE TEMP TABLE fresh AS\nSELECT ${storedOutputs(fresh, target)} FROM (\n${indented(print(fresh, names))}\n) AS result`;
}

/**
 * To look for a key in the statistics of all files costs what reading a thousand rows does: 615 keys in ten files of 1,000 rows took
 * 26 ms, and by their range 9.
 */
const rowsPerKey = 1000;

export function heldRows({table, outputs, rows}: Target, affected: Sql, held = 'held'): Statement {
  const here = outputs.map(({name}, place) => sql`${identifier(name)} AS ${output(place)}`);
  return {
    ...(rows === undefined || affected === nothing ? {} : {keysOneByOne: Math.floor(rows / rowsPerKey)}),
    label: 'what the table holds',
    text: sql`CREATE TEMP TABLE ${raw(held)} AS\nSELECT rowid AS row_id, ${join(here)} FROM ${table} ${affected}`,
  };
}

/** The temporary tables by which one table is written. */
export const ofTarget = {fresh: 'fresh', held: 'held', stale: 'stale', added: 'added'};

export type Named = typeof ofTarget;

/** Rows that are in both are left alone. */
export function replaced(target: Target, {fresh, held, stale, added}: Named = ofTarget): readonly Statement[] {
  const identical = same(target, raw('one'), raw('other'));
  return [
    {
      label: 'find the rows that go',
      text: sql`CREATE TEMP TABLE ${raw(stale)} AS SELECT one.row_id FROM ${raw(held)} AS one ANTI JOIN ${raw(fresh)} AS other ON ${identical}`,
    },
    {
      label: 'rows that come',
      text: sql`CREATE TEMP TABLE ${raw(added)} AS SELECT one.*, 1 AS copies FROM ${raw(fresh)} AS one ANTI JOIN ${raw(held)} AS other ON ${identical}`,
    },
  ];
}

/** `stale` and `added` into the target. */
export function writes(
  target: Target,
  counts: {readonly stale: number; readonly added: number},
  {stale, added}: Pick<Named, 'stale' | 'added'> = ofTarget,
): readonly Statement[] {
  const outputs = join(target.outputs.map((_, place) => output(place)));
  const columns = join(target.outputs.map(({name}) => identifier(name)));
  const deletion = {
    label: 'delete',
    text: sql`DELETE FROM ${target.table} WHERE rowid IN (SELECT row_id FROM ${raw(stale)})`,
  };
  const insertion = {
    label: 'insert',
    text: sql`INSERT INTO ${target.table} (${columns})\nSELECT ${outputs} FROM (SELECT *, unnest(range(copies)) AS copy FROM ${raw(added)}) AS added`,
  };
  return [...(counts.stale > 0 ? [deletion] : []), ...(counts.added > 0 ? [insertion] : [])];
}

/** The relation's columns, as the target stores them. */
function storedOutputs(relation: Relation, {outputs}: Target): Sql {
  const columns = columnsOfRelation(relation);
  return join(
    outputs.map(({storedType}, place) => {
      const column = columns[place];
      const value = column === undefined ? raw('NULL') : identifier(columnName(column));
      return sql`${column?.type === storedType ? value : sql`CAST(${value} AS ${raw(storedType)})`} AS ${output(place)}`;
    }),
  );
}

/** The columns of a user's query, by place and as the target stores them. */
export function storedQuery(query: Sql, {outputs}: Target): Sql {
  const casts = outputs.map(
    ({storedType}, place) => sql`CAST(${output(place)} AS ${raw(storedType)}) AS ${output(place)}`,
  );
  return sql`SELECT ${join(casts)}\nFROM (\n${query}\n) AS query(${join(outputs.map((_, place) => output(place)))})`;
}

function identityOf({outputs}: Target, alias: Sql, isCoarse: (type: string) => boolean): readonly Sql[] {
  return outputs.flatMap(({storedType}, place) => {
    const value = sql`${alias}.${output(place)}`;
    return [value, ...(isCoarse(storedType) ? [] : identityTerms(value, storedType))];
  });
}

/** `isCoarse`: of which types equality is enough. */
function same(target: Target, one: Sql, other: Sql, isCoarse: (type: string) => boolean = () => false): Sql {
  const [ours, theirs] = [identityOf(target, one, isCoarse), identityOf(target, other, isCoarse)];
  return join(
    ours.map((term, i) => sql`${term} IS NOT DISTINCT FROM ${theirs[i] ?? raw('NULL')}`),
    ' AND ',
  );
}

function tuple(values: readonly Sql[]): Sql {
  return values.length === 1 ? join(values) : sql`(${join(values)})`;
}
