import type {BoundOutput} from '../binder/bound.ts';
import {isExtreme, type Groups} from '../delta/merge.ts';
import type {Merge} from '../delta/program.ts';
import type {Accumulator} from '../relation/aggregate-functions.ts';
import {oneOfSameMean} from '../relation/average.ts';
import {columnName, print} from '../relation/print.ts';
import type {Names} from '../relation/print.ts';
import {printExpression} from '../relation/print-expression.ts';
import type {Staged} from '../relation/relation.ts';
import {identifier, indented, join, nothing, raw, sql} from '../sql.ts';
import type {Sql} from '../sql.ts';
import {affectedRows, freshRows, heldRows, output, replaced} from './apply.ts';
import type {Named, Statement, Target} from './apply.ts';

/**
 * Merging a change into what is kept of groups. Temporary tables: `groups_merged` and `groups` have the keys and accumulators as
 * `o0 … on`, as the hidden table has them, and `groups` the answers as `r0 … rn`.
 */

/** The temporary tables by which the hidden table is written. */
export const ofGroups: Named = {fresh: 'groups', held: 'groups_held', stale: 'groups_stale', added: 'groups_added'};

/** The columns of the hidden table. */
export function keptColumns({relation, accumulators}: Groups): readonly BoundOutput[] {
  const kept = accumulators.map(({call: {name}, type}, n) => ({
    name: `${name === 'count_star' ? 'rows' : name}_${n + 1}`,
    type,
    storedType: type,
  }));
  const keys = relation.keys.map(({column: {type}}, n) => ({name: `key_${n + 1}`, type, storedType: type}));
  return [...keys, ...kept];
}

/** All that the hidden table should hold, by its columns' places. */
export function keptRows({relation, accumulators}: Groups, names: Names): Sql {
  const keys = relation.keys.map(({column}) => identifier(columnName(column)));
  const kept = relation.aggregates.map(({column}, n) => stored(identifier(columnName(column)), accumulators[n]));
  return sql`SELECT ${join([...keys, ...kept])}\nFROM (\n${indented(print(relation, names))}\n) AS kept`;
}

export function rowsOfMerge(root: Merge, target: Target, names: Names, hidden: Target | null): readonly Statement[] {
  const {change: keys, on, lost, fresh} = root;
  const held = heldRows(target, affectedRows({keys, on}, target, names));
  const kept = root.stored === null ? ofHidden(root, names, hidden) : null;
  return [
    kept === null ? held : kept.held,
    {label: 'merge into the stored sums and counts', text: merged(root)},
    ...(lost === null ? [] : [{label: 'groups to be read anew', text: lostKeys(lost.keys)}]),
    {label: 'answers', text: answers(root)},
    ...(lost === null ? [] : [readAnew(root, lost, {...names, mayBeNull: ofChange(lost.keys, keys, names)})]),
    {label: 'rows of the groups', text: freshRows(fresh.relation, target, names)},
    ...(kept === null ? [] : [held]),
    ...replaced(target),
    ...(kept === null ? [] : kept.replaced),
  ];
}

/** The hidden table before and after. */
function ofHidden({change: keys, on}: Merge, names: Names, hidden: Target | null) {
  if (hidden === null) throw new Error('Bug in Freshet: what is kept of the groups has no table');
  const places = on.map(({key}, place) => ({key, place}));
  const affected = affectedRows({keys, on: places}, hidden, names);
  return {
    held: {...heldRows(hidden, affected, ofGroups.held), label: 'what is kept of the groups'},
    replaced: replaced(hidden, ofGroups).map(({label, text}) => ({label: `groups: ${label}`, text})),
  };
}

/** Keys of lost groups are among those of the change. */
function ofChange(lost: Staged, change: Staged, names: Names): Names['mayBeNull'] {
  return (staged, column) => names.mayBeNull(staged.name === lost.name ? change : staged, column);
}

/** A count below zero: what is kept is not what the query's rows add up to. */
export function impossibleGroups({groups: {relation, accumulators}}: Merge): Sql {
  const counts = accumulators.flatMap(({call: {name}}, n) =>
    name === 'count' || name === 'count_star' ? [sql`${output(relation.keys.length + n)} < 0`] : [],
  );
  return sql`SELECT 1 FROM groups_merged WHERE ${counts.length === 0 ? raw('false') : join(counts, ' OR ')}`;
}

/** How many rows the groups have that are read anew; null without GROUP BY: all of them. */
export function rowsOfLost({groups: {relation, rows}}: Merge): Sql | null {
  if (rows === null) return null;
  const count = output(relation.keys.length + rows);
  return sql`SELECT coalesce(sum(${count}), 0)::BIGINT AS "rows" FROM groups_merged WHERE is_lost`;
}

function merged({groups, stored: places, change, on, lost}: Merge): Sql {
  const {relation, accumulators} = groups;
  const keys = change.columns.slice(0, relation.keys.length);
  const given = change.columns.slice(relation.keys.length);
  const sums = accumulators.filter(({call}) => !isExtreme(call)).length;
  const extremes = accumulators.length - sums;
  const next = {sum: 0, extreme: 0};
  const went: Sql[] = [];
  const values = accumulators.map((accumulator, n) => {
    const held = sql`held.${output(places?.[n] ?? keys.length + n)}`;
    const place = isExtreme(accumulator.call) ? sums + next.extreme++ : next.sum++;
    if (!isExtreme(accumulator.call)) return added(accumulator, held, ofColumn(given[place]));
    const [came, gone] = [ofColumn(given[place]), ofColumn(given[place + extremes])];
    went.push(isGone(accumulator, {held, came, gone}));
    return sql`${raw(accumulator.call.name === 'min' ? 'least' : 'greatest')}(${held}, ${came})`;
  });
  const conditions = on.map(
    ({place, key}, n) => sql`held.${output(places === null ? n : place)} IS NOT DISTINCT FROM ${ofColumn(key)}`,
  );
  const shown = [
    ...keys.map((key, n) => sql`${ofColumn(key)} AS ${output(n)}`),
    ...values.map((value, n) => sql`${value} AS ${output(keys.length + n)}`),
    ...(lost === null ? [] : [sql`${join(went, ' OR ')} AS has_lost`]),
  ];
  const [changed, before] = [
    sql`${identifier(change.name)} AS change`,
    sql`${raw(places === null ? ofGroups.held : 'held')} AS held`,
  ];
  // Without keys the one group is there, whether or not anything came.
  const from =
    conditions.length === 0
      ? sql`${before}\nLEFT JOIN ${changed} ON true`
      : sql`${changed}\nLEFT JOIN ${before} ON ${join(conditions, ' AND ')}`;
  const query = sql`SELECT ${join(shown)}\nFROM ${from}`;
  const derived = [
    ...groups.means.map(({unsure}, n) => sql`${printExpression(unsure, inGroups(groups))} AS ${raw(`unsure_${n}`)}`),
    ...(lost === null ? [] : [sql`${isThere(groups)} AND has_lost AS is_lost`]),
  ];
  if (derived.length === 0) return sql`CREATE TEMP TABLE groups_merged AS\n${query}`;
  const means = groups.means.map(
    ({quotient}, n) => sql`${printExpression(quotient.expression, inGroups(groups))} AS ${raw(`mean_${n}`)}`,
  );
  const divided = means.length === 0 ? query : sql`SELECT *, ${join(means)}\nFROM (\n${indented(query)}\n) AS summed`;
  return sql`CREATE TEMP TABLE groups_merged AS\nSELECT *, ${join(derived)}\nFROM (\n${indented(divided)}\n) AS merged`;
}

/** What is kept plus what is given, as it is kept; nothing of either is nothing. */
function added({type}: Accumulator, held: Sql, given: Sql): Sql {
  const orNone = (part: Sql): Sql => sql`CAST(coalesce(${part}, 0) AS ${raw(type)})`;
  return sql`CAST(${orNone(held)} + ${orNone(given)} AS ${raw(type)})`;
}

/** Whether the value that is kept went and none that came takes its place. */
function isGone({call}: Accumulator, {held, came, gone}: {held: Sql; came: Sql; gone: Sql}): Sql {
  const [isWorse, isAsGood] = call.name === 'min' ? [raw('>'), raw('<=')] : [raw('<'), raw('>=')];
  return sql`(${gone} IS NOT NULL AND NOT coalesce(${gone} ${isWorse} ${held} OR ${came} ${isAsGood} ${held}, false))`;
}

function lostKeys({name, columns}: Staged): Sql {
  const keys = columns.map((key, n) => sql`${output(n)} AS ${identifier(key.name)}`);
  const list = keys.length === 0 ? [raw('1 AS one')] : keys;
  return sql`CREATE TEMP TABLE ${identifier(name)} AS\nSELECT ${join(list)} FROM groups_merged WHERE is_lost`;
}

function answers({groups, lost}: Merge): Sql {
  const answered = groups.answers.map(({expression}, n) => {
    const plain = printExpression(expression, inGroups(groups));
    return sql`${orSameMean(plain, n, groups)} AS ${raw(`r${n}`)}`;
  });
  const kept = keptColumns(groups).map((_, n) => output(n));
  const conditions = [
    ...(groups.rows === null ? [] : [isThere(groups)]),
    ...(lost === null ? [] : [raw('NOT is_lost')]),
  ];
  const where = conditions.length === 0 ? nothing : sql`\nWHERE ${join(conditions, ' AND ')}`;
  return sql`CREATE TEMP TABLE groups AS
SELECT ${join([...kept, ...answered])}
FROM groups_merged${where}`;
}

/** The answer, or the `avg` of numbers of the same sum and count where that is the only way to round as it does. */
function orSameMean(plain: Sql, answer: number, groups: Groups): Sql {
  const place = groups.means.findIndex((mean) => mean.answer === answer);
  const mean = groups.means[place];
  if (mean === undefined) return plain;
  const quotient = sql`CASE WHEN ${printExpression(mean.count, inGroups(groups))} <> 0 THEN ${raw(`mean_${place}`)} END`;
  const [sum, count] = [mean.sum, mean.count].map((part) => printExpression(part, inGroups(groups)));
  const unsure = raw(`unsure_${place}`);
  const same = oneOfSameMean(sum ?? raw('NULL'), count ?? raw('NULL'), mean.type, raw('i'));
  return sql`CASE WHEN ${unsure} THEN (SELECT avg(${same}) FROM range(CASE WHEN ${unsure} THEN ${count ?? raw('0')} ELSE 0 END) AS made(i)) ELSE ${quotient} END`;
}

/**
 * Bounded by what a recomputation costs, and most of that again: of 2 M rows in 10 groups that had all lost their greatest, 160 to
 * 270 ms where the query itself took 100 to 150. So no estimate decides against it; FULL would give up what is kept, too.
 */
function readAnew({groups}: Merge, {keys, anew}: NonNullable<Merge['lost']>, names: Names): Statement {
  const {relation, accumulators, answers: answered} = groups;
  const columns = [
    ...relation.keys.map(({column}) => identifier(columnName(column))),
    ...relation.aggregates.map(({column}, n) => stored(identifier(columnName(column)), accumulators[n])),
    ...answered.map(({column}) => identifier(columnName(column))),
  ];
  const query = indented(print(anew, names));
  return {
    label: 'read groups anew',
    text: sql`INSERT INTO groups\nSELECT ${join(columns)} FROM (\n${query}\n) AS anew`,
    ifAny: keys.name,
  };
}

/** A group without rows goes; the one without GROUP BY stays. */
function isThere({relation, rows}: Groups): Sql {
  return rows === null ? raw('true') : sql`${output(relation.keys.length + rows)} > 0`;
}

function inGroups({relation, means}: Groups): (id: number) => Sql {
  const places = new Map([
    ...relation.aggregates.map(({column}, n): [number, Sql] => [column.id, output(relation.keys.length + n)]),
    ...means.map(({quotient}, n): [number, Sql] => [quotient.column.id, raw(`mean_${n}`)]),
  ]);
  return (id) => places.get(id) ?? raw(`missing_column_${id}`);
}

function ofColumn(column: {readonly name: string} | undefined): Sql {
  return column === undefined ? raw('NULL') : sql`change.${identifier(column.name)}`;
}

function stored(value: Sql, accumulator: Accumulator | undefined): Sql {
  return accumulator === undefined || accumulator.call.type === accumulator.type
    ? value
    : sql`CAST(${value} AS ${raw(accumulator.type)})`;
}
