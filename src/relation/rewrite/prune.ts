import {unreachable} from '../../assert.ts';
import {column, columnsOf} from '../expression.ts';
import type {AggregateCall, Expression} from '../expression.ts';
import {columnsOfRelation} from '../relation.ts';
import type {Relation} from '../relation.ts';

/**
 * The same rows without the columns that nothing reads: what a source changes elsewhere is no change to the query, and is not
 * read. The result has just the relation's own columns, in their order.
 */
export function prune(relation: Relation): Relation {
  const columns = columnsOfRelation(relation);
  return exactly(
    pruneTo(relation, new Set(columns.map(({id}) => id))),
    columns.map(({id}) => id),
  );
}

/** May keep more than is needed, never less. */
function pruneTo(relation: Relation, needed: ReadonlySet<number>): Relation {
  switch (relation.kind) {
    case 'scan':
    case 'staged':
      return {...relation, columns: relation.columns.filter(({id}) => needed.has(id))};
    case 'values':
      return relation;
    case 'filter':
      return {...relation, input: pruneTo(relation.input, union(needed, columnsOf(relation.condition)))};
    case 'restrict':
      return {
        ...relation,
        input: pruneTo(relation.input, union(needed, readBy(relation.on.map((term) => term.expression)))),
      };
    case 'project': {
      const outputs = relation.outputs.filter(({column: output}) => needed.has(output.id));
      return {...relation, outputs, input: pruneTo(relation.input, readBy(outputs.map(({expression}) => expression)))};
    }
    case 'join': {
      const all = relation.condition === null ? needed : union(needed, columnsOf(relation.condition));
      return {...relation, left: pruneTo(relation.left, all), right: pruneTo(relation.right, all)};
    }
    case 'aggregate': {
      const used = relation.aggregates.filter(({column: output}) => needed.has(output.id));
      // Without GROUP BY it is one row even if nobody reads what is in it: something must make it an aggregate.
      const aggregates = relation.grouped || used.length > 0 ? used : relation.aggregates.slice(0, 1);
      const read = [
        ...relation.keys.map(({expression}) => expression),
        ...aggregates.flatMap(({call}) => expressionsOf(call)),
      ];
      return {...relation, aggregates, input: pruneTo(relation.input, readBy(read))};
    }
    case 'union-all': {
      const places = relation.columns.flatMap(({id}, i) => (needed.has(id) ? [i] : []));
      const kept = <T>(list: readonly T[]): readonly T[] => list.filter((_, i) => places.includes(i));
      const inputs = relation.inputs.map((input) => {
        const ids = kept(columnsOfRelation(input)).map(({id}) => id);
        return exactly(pruneTo(input, new Set(ids)), ids);
      });
      return {...relation, columns: kept(relation.columns), inputs};
    }
    default:
      return unreachable(relation);
  }
}

/** The relation with the columns `ids`, in that order. */
function exactly(relation: Relation, ids: readonly number[]): Relation {
  const columns = columnsOfRelation(relation);
  const isExact = columns.length === ids.length && columns.every(({id}, i) => id === ids[i]);
  if (isExact) return relation;
  const outputs = ids.flatMap((id) => {
    const found = columns.find((candidate) => candidate.id === id);
    return found ? [{column: found, expression: column(found)}] : [];
  });
  return {kind: 'project', input: relation, outputs};
}

export function expressionsOf({arguments: inputs, filter, orderBy}: AggregateCall): readonly Expression[] {
  return [...inputs, ...(filter === null ? [] : [filter]), ...orderBy.map(({expression}) => expression)];
}

function readBy(expressions: readonly Expression[]): ReadonlySet<number> {
  return new Set(expressions.flatMap((expression) => [...columnsOf(expression)]));
}

function union(a: ReadonlySet<number>, b: ReadonlySet<number>): ReadonlySet<number> {
  return new Set([...a, ...b]);
}
