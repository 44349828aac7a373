import {DuckDBInstance} from '@duckdb/node-api';
import type {DuckDBConnection} from '@duckdb/node-api';
import {differentiate} from '../../src/delta/differentiate.ts';
import type {Program} from '../../src/delta/program.ts';
import {columnName, print} from '../../src/relation/print.ts';
import type {Names} from '../../src/relation/print.ts';
import {columnsOfRelation} from '../../src/relation/relation.ts';
import type {Relation} from '../../src/relation/relation.ts';
import {prune} from '../../src/relation/rewrite/prune.ts';
import {rootStatements, writes} from '../../src/refresh/apply.ts';
import type {Target} from '../../src/refresh/apply.ts';
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
};

/** `tables`: its CREATE TABLE … in schema `old`; `changes`: statements that bring schema `new` from a copy to the new end. */
export async function evaluate(
  query: Relation,
  tables: Readonly<Record<string, string>>,
  changes: readonly string[],
  mutate: (program: Program) => Program = (program) => program,
): Promise<Outcome> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return await run(connection, prune(query), tables, changes, mutate);
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
  const delta = differentiate(query, () => true);
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
  const counts = {stale: 0, added: 0};
  const statements = rootStatements(program, target, names);
  if (statements.length > 0) {
    for (const statement of statements) await rows(statement.text.text);
    counts.stale = Number((await rows('SELECT count(*) AS n FROM stale'))[0]?.['n']);
    counts.added = Number((await rows('SELECT coalesce(sum(copies), 0) AS n FROM added'))[0]?.['n']);
    for (const statement of writes(target, counts)) await rows(statement.text.text);
  }
  const differences = await rows(
    `(FROM target EXCEPT ALL (${atEnd('new').text})) UNION ALL ((${atEnd('new').text}) EXCEPT ALL FROM target)`,
  );
  return {program, differences, deleted: counts.stale, inserted: counts.added};
}
