import {DuckDBInstance} from '@duckdb/node-api';
import type {DuckDBConnection} from '@duckdb/node-api';
import {differentiate} from '../../src/delta/differentiate.ts';
import type {Program} from '../../src/delta/program.ts';
import type {Merges} from '../../src/delta/root.ts';
import {columnName, print} from '../../src/relation/print.ts';
import type {Names} from '../../src/relation/print.ts';
import {columnsOfRelation} from '../../src/relation/relation.ts';
import type {Relation} from '../../src/relation/relation.ts';
import {prune} from '../../src/relation/rewrite/prune.ts';
import {ofTarget, rootStatements, writes} from '../../src/refresh/apply.ts';
import type {Named, Target} from '../../src/refresh/apply.ts';
import {impossibleGroups, keptColumns, keptRows, ofGroups} from '../../src/refresh/merge.ts';
import type {Groups} from '../../src/delta/merge.ts';
import {identifier, sql} from '../../src/sql.ts';
import type {Sql} from '../../src/sql.ts';

/**
 * Carries out a program over two ends of plain tables in memory (`old.t`, `new.t`), and compares the target with the query
 * run afresh. DuckLake has no part in it: what a rule says is shown without it.
 */
export type Outcome = {
  readonly program: Program;
  readonly differences: readonly unknown[];
  readonly deleted: number;
  readonly inserted: number;
  /** Groups that had to be read anew. */
  readonly lost: number;
};

/** `tables`: its CREATE TABLE … in schema `old`; `changes`: statements that bring schema `new` from a copy to the new end. */
export async function evaluate(
  query: Relation,
  tables: Readonly<Record<string, string>>,
  changes: readonly string[],
  mutate: (program: Program) => Program = (program) => program,
  merges: Merges = 'hidden',
): Promise<Outcome> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return await run(connection, prune(query), tables, changes, mutate, merges);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function run(
  connection: DuckDBConnection,
  query: Relation,
  tables: Readonly<Record<string, string>>,
  changes: readonly string[],
  mutate: (program: Program) => Program,
  merges: Merges,
): Promise<Outcome> {
  const rows = async (text: string): Promise<Record<string, unknown>[]> =>
    (await connection.runAndReadAll(text)).getRowObjectsJson() as Record<string, unknown>[];
  await rows('CREATE SCHEMA old; CREATE SCHEMA new');
  for (const [name, definition] of Object.entries(tables)) {
    await rows(`CREATE TABLE old.${name} AS ${definition}`);
    await rows(`CREATE TABLE new.${name} AS FROM old.${name}`);
  }
  for (const change of changes) await rows(change);
  const nulls = new Set<string>();
  const names: Names = {
    scan: (scan, alias) => sql`${identifier(scan.at)}.${identifier(scan.source.name)} AS ${alias}`,
    mayBeNull: (staged, column) => nulls.has(`${staged.name}.${column.name}`),
  };
  const delta = differentiate(query, () => true, merges);
  if (delta.kind !== 'delta') throw new Error(JSON.stringify(delta.reasons));
  const program = mutate(delta.program);
  for (const {name, source, columns} of program.changes) {
    const list = columns.map((column, i) => `"${column}" AS c${i}`);
    const end = (schema: string, weight: number): string =>
      `SELECT ${[...list, `${weight} AS weight`].join(', ')} FROM ${schema}."${source.name}"`;
    const cells = columns.map((_, i) => `c${i}`).join(', ');
    await rows(`CREATE TEMP TABLE ${name} AS SELECT ${cells}${cells && ','} CAST(sum(weight) AS BIGINT) AS weight
      FROM (${end('new', 1)} UNION ALL ${end('old', -1)}) GROUP BY ALL HAVING sum(weight) <> 0`);
  }
  for (const step of program.steps) {
    await rows(sql`CREATE TEMP TABLE ${identifier(step.name)} AS ${print(step.relation, names)}`.text);
    for (const column of columnsOfRelation(step.relation)) {
      const [found] = await rows(`SELECT count(*) AS n FROM "${step.name}" WHERE "${columnName(column)}" IS NULL`);
      if (Number(found?.['n']) > 0) nulls.add(`${step.name}.${columnName(column)}`);
    }
  }
  const outputs = columnsOfRelation(query).map(({type}, i) => ({name: `out_${i}`, type, storedType: type}));
  const target: Target = {table: identifier('target'), outputs};
  const atEnd = (end: 'old' | 'new'): Sql =>
    print(query, {...names, scan: (scan, alias) => names.scan({...scan, at: end}, alias)});
  const columns = outputs.map(({name}) => name).join(', ');
  await rows(`CREATE TABLE target AS SELECT * FROM (${atEnd('old').text}) AS q(${columns})`);
  const {root} = program;
  const kept = root.kind === 'merge' && root.stored === null ? root.groups : null;
  const hidden: Target | null = kept === null ? null : {table: identifier('hidden_groups'), outputs: keptColumns(kept)};
  const keptAt = (end: 'old' | 'new', groups: Groups): Sql =>
    keptRows(groups, {...names, scan: (scan, alias) => names.scan({...scan, at: end}, alias)});
  if (kept !== null) {
    const list = keptColumns(kept).map(({name}) => name);
    await rows(`CREATE TABLE hidden_groups AS SELECT * FROM (${keptAt('old', kept).text}) AS q(${list.join(', ')})`);
  }
  const count = async (text: string): Promise<number> => Number((await rows(text))[0]?.['n']);
  const write = async (into: Target, named: Named): Promise<{stale: number; added: number}> => {
    const counts = {
      stale: await count(`SELECT count(*) AS n FROM ${named.stale}`),
      added: await count(`SELECT coalesce(sum(copies), 0) AS n FROM ${named.added}`),
    };
    for (const statement of writes(into, counts, named)) await rows(statement.text.text);
    return counts;
  };
  let counts = {stale: 0, added: 0};
  let lost = 0;
  const statements = rootStatements(program, target, names, hidden);
  if (statements.length > 0) {
    for (const {text, ifAny} of statements) {
      if (ifAny === undefined || (await count(`SELECT count(*) AS n FROM ${ifAny}`)) > 0) await rows(text.text);
    }
    counts = await write(target, ofTarget);
    if (root.kind === 'merge') {
      if ((await count(`SELECT count(*) AS n FROM (${impossibleGroups(root).text})`)) > 0)
        throw new Error('a group has fewer rows than none');
      if (root.lost !== null) lost = await count(`SELECT count(*) AS n FROM ${root.lost.keys.name}`);
    }
    if (hidden !== null) await write(hidden, ofGroups);
  }
  const different = async (table: string, query: string): Promise<readonly unknown[]> =>
    await rows(`(FROM ${table} EXCEPT ALL (${query})) UNION ALL ((${query}) EXCEPT ALL FROM ${table})`);
  const differences = [
    ...(await different('target', atEnd('new').text)),
    ...(kept === null ? [] : await different(hiddenAsQueried(kept), hiddenAsQueried(kept, keptAt('new', kept).text))),
  ];
  return {program, differences, deleted: counts.stale, inserted: counts.added, lost};
}

/** A sum of nothing is NULL in the query and may be 0 where it is kept: nothing reads it there. */
function hiddenAsQueried(groups: Groups, query = 'FROM hidden_groups'): string {
  const columns = keptColumns(groups);
  const shown = columns.map(({name}) => (name.startsWith('sum_') ? `coalesce(${name}, 0) AS ${name}` : name));
  return `(SELECT ${shown.join(', ')} FROM (${query}) AS q(${columns.map(({name}) => name).join(', ')}))`;
}
