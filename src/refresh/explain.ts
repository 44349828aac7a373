import type {BoundOutput} from '../binder/bound.ts';
import {differentiate} from '../delta/differentiate.ts';
import type {SourceChange, Step} from '../delta/program.ts';
import {describe} from '../relation/describe.ts';
import {print} from '../relation/print.ts';
import type {Names} from '../relation/print.ts';
import type {Relation} from '../relation/relation.ts';
import {identifier, join, path, raw, sql} from '../sql.ts';
import type {Sql} from '../sql.ts';
import {tableNameText} from '../table-name.ts';
import type {TableName} from '../table-name.ts';
import {rootStatements, writes} from './apply.ts';
import type {Statement} from './apply.ts';
import {keptColumns, ofGroups} from './merge.ts';

/** An incremental refresh in words and SQL, for people; the two snapshots are called `old` and `new`. */
export type Explained = {readonly relation: string; readonly statements: readonly Statement[]};

/** What a refresh would run if every source had changed. Empty statements: there is no incremental way. */
export function explain(
  relation: Relation,
  outputs: readonly BoundOutput[],
  {lake, table, groups}: {readonly lake: string; readonly table: TableName; readonly groups: TableName},
): Explained {
  const delta = differentiate(relation, () => true);
  if (delta.kind !== 'delta') return {relation: describe(relation), statements: []};
  const {program} = delta;
  const names: Names = {
    scan: ({source, at}, alias) =>
      sql`${path(lake, source.schema, source.name)} AS ${alias} AT (VERSION => ${raw(at)})`,
    mayBeNull: () => false,
  };
  const target = {table: path(lake, table.schema, table.name), outputs};
  const {root} = program;
  const hidden =
    root.kind === 'merge' && root.stored === null
      ? {table: path(lake, groups.schema, groups.name), outputs: keptColumns(root.groups)}
      : null;
  return {
    relation: describe(relation),
    statements: [
      ...program.changes.map((change) => feed(change, lake)),
      ...program.steps.map((step) => staged(step, names)),
      ...rootStatements(program, target, names, hidden),
      ...(program.root.kind === 'unchanged' ? [] : writes(target, {stale: 1, added: 1})),
      ...(hidden === null
        ? []
        : writes(hidden, {stale: 1, added: 1}, ofGroups).map(({label, text}) => ({label: `groups: ${label}`, text}))),
    ],
  };
}

function feed({name, source, columns}: SourceChange, lake: string): Statement {
  const list = join(columns.map((column, i) => sql`${identifier(column)} AS ${identifier(`c${i}`)}`));
  const half = (kind: string, weight: string): Sql => {
    const arguments_ = [lake, source.schema, source.name].map((text) => sql`'${raw(text.replaceAll("'", "''"))}'`);
    return sql`SELECT ${list}${raw(columns.length > 0 ? ', ' : '')}${raw(weight)} AS weight FROM ${raw(`ducklake_table_${kind}`)}(${join(arguments_)}, old + 1, new)`;
  };
  return {
    label: `change of ${tableNameText(source)}`,
    text: sql`CREATE TEMP TABLE ${identifier(name)} AS\n${half('insertions', '1')}\nUNION ALL\n${half('deletions', '-1')}`,
  };
}

function staged({name, kind, what, relation}: Step, names: Names): Statement {
  return {label: `${kind}: ${what}`, text: sql`CREATE TEMP TABLE ${identifier(name)} AS\n${print(relation, names)}`};
}
