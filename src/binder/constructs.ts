import type {Reason} from '../delta/reason.ts';
import {objectsOf, textOf, type JsonObject} from './json.ts';

/** Why an operator of the plan is declined, in words a person would use of the query, and what below it is still worth a look. */
export type Declined = {readonly reasons: readonly Reason[]; readonly below: readonly JsonObject[]};

export function describeOperator(json: JsonObject): Declined {
  const children = objectsOf(json['children']);
  switch (json['type']) {
    case 'LOGICAL_COMPARISON_JOIN':
    case 'LOGICAL_ANY_JOIN':
      return {reasons: [joinReason(textOf(json['join_type']))], below: children};
    case 'LOGICAL_DELIM_JOIN':
      // Its right side is what DuckDB has made of the subquery, in operators that nobody wrote.
      return {reasons: [correlated(json)], below: children.slice(0, 1)};
    case 'LOGICAL_AGGREGATE_AND_GROUP_BY':
      return {reasons: [exists], below: children.flatMap((limit) => objectsOf(limit['children']))};
    case 'LOGICAL_WINDOW':
      return {reasons: windows(json), below: children};
    case 'LOGICAL_RECURSIVE_CTE':
      return {reasons: [construct('a recursive CTE')], below: []};
    case 'LOGICAL_DISTINCT':
      return {
        reasons: [{kind: 'free-choice', construct: 'DISTINCT ON', rewrite: 'use GROUP BY with min or max'}],
        below: children,
      };
    default:
      return {
        reasons: [operators.get(textOf(json['type'])) ?? construct(plain(textOf(json['type'])))],
        below: children,
      };
  }
}

/**
 * Whether an aggregate is what DuckDB makes of EXISTS over a subquery that stands alone: a count of at most one row, LIMIT 1, that
 * is compared with 1. A count that somebody wrote has an index for its grouping sets.
 */
export function isExists(json: JsonObject): boolean {
  const [child] = objectsOf(json['children']);
  const [count] = objectsOf(json['expressions']);
  return (
    child?.['type'] === 'LOGICAL_LIMIT' &&
    count?.['name'] === 'count_star' &&
    textOf(json['groupings_index']) === noIndex
  );
}

/** 2⁶⁴ − 1, which DuckDB writes as a text. */
const noIndex = '18446744073709551615';

function construct(name: string, rewrite?: string): Reason {
  return {kind: 'construct', construct: name, ...(rewrite === undefined ? {} : {rewrite})};
}

const exists = construct(
  'EXISTS or NOT EXISTS with a subquery',
  'compare its count with 0 instead, as in (SELECT count(*) FROM …) > 0',
);

const operators: ReadonlyMap<string, Reason> = new Map([
  ['LOGICAL_LIMIT', construct('LIMIT')],
  ['LOGICAL_TOP_N', construct('LIMIT')],
  ['LOGICAL_EXCEPT', construct('EXCEPT')],
  ['LOGICAL_INTERSECT', construct('INTERSECT')],
  ['LOGICAL_UNNEST', construct('unnest or UNPIVOT')],
  ['LOGICAL_SAMPLE', construct('a sample')],
  ['LOGICAL_ASOF_JOIN', construct('an ASOF JOIN')],
  ['LOGICAL_POSITIONAL_JOIN', construct('a POSITIONAL JOIN')],
  ['LOGICAL_PIVOT', construct('PIVOT')],
]);

const joins: ReadonlyMap<string, Reason> = new Map([
  ['LEFT', construct('a LEFT JOIN')],
  ['RIGHT', construct('a RIGHT JOIN')],
  // A LEFT JOIN whose sides DuckDB has changed is called RIGHT, and the reverse; FULL is FULL.
  ['OUTER', construct('a FULL JOIN')],
  ['FULL', construct('a FULL JOIN')],
  ['SEMI', construct('IN or EXISTS with a subquery (a semi-join)', 'join the distinct keys of the subquery instead')],
  ['ANTI', construct('NOT IN or NOT EXISTS with a subquery (an anti-join)')],
  ['MARK', construct('IN, NOT IN or ANY with a subquery')],
  ['SINGLE', construct('a correlated subquery', 'join an aggregate with GROUP BY instead')],
]);

function joinReason(type: string): Reason {
  return joins.get(type) ?? construct(`a join of kind ${type}`);
}

/** A lateral unnest is planned as a join too, over numbered rows. */
function correlated(json: JsonObject): Reason {
  const [left] = objectsOf(json['children']);
  const isLateral = left?.['type'] === 'LOGICAL_WINDOW' && windowNames(left).length === 0;
  if (isLateral) return construct('unnest of a column in FROM');
  return construct('a correlated subquery', 'join an aggregate with GROUP BY instead');
}

function windows(json: JsonObject): readonly Reason[] {
  return windowNames(json).map((name) => construct(`a window function (${name})`));
}

function windowNames(json: JsonObject): readonly string[] {
  return objectsOf(json['expressions'])
    .filter((expression) => expression['alias'] !== 'delim_index')
    .map(({type, name}) => textOf(name) || plain(textOf(type)));
}

/** `LOGICAL_CHUNK_GET` and `WINDOW_ROW_NUMBER` as words. */
function plain(name: string): string {
  return name.replace(/^(LOGICAL|WINDOW)_/, '').toLowerCase();
}
