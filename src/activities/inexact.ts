import type {Bound} from '../binder/bound.ts';
import {exactness} from '../relation/aggregate-functions.ts';
import {columnsOf, type Expression} from '../relation/expression.ts';
import {columnsOfRelation, type Relation} from '../relation/relation.ts';

/**
 * The places of the outputs whose last bits depend on the order in which rows were added, so that a second evaluation of the
 * same query may differ in them. Of a query that can only be run as a whole it is not known: every float is taken for one.
 */
export function inexactPlaces({reading, outputs}: Bound): readonly number[] {
  const floats = outputs.flatMap(({storedType}, place) => (/^(FLOAT|DOUBLE)$/.test(storedType) ? [place] : []));
  if (reading.kind === 'full') return floats;
  const ids = new Set<number>();
  collect(reading.relation, ids);
  const columns = columnsOfRelation(reading.relation);
  return floats.filter((place) => ids.has(columns[place]?.id ?? -1));
}

/** Adds the ids of the columns that are inexact, from the scans upwards. */
function collect(relation: Relation, ids: Set<number>): void {
  const isInexact = (expression: Expression) => [...columnsOf(expression)].some((id) => ids.has(id));
  switch (relation.kind) {
    case 'scan':
    case 'staged':
    case 'values':
      return;
    case 'filter':
    case 'restrict':
      return collect(relation.input, ids);
    case 'join':
      collect(relation.left, ids);
      return collect(relation.right, ids);
    case 'project':
      collect(relation.input, ids);
      for (const {column, expression} of relation.outputs) if (isInexact(expression)) ids.add(column.id);
      return;
    case 'aggregate':
      collect(relation.input, ids);
      for (const {column, expression} of relation.keys) if (isInexact(expression)) ids.add(column.id);
      for (const {column, call} of relation.aggregates) {
        if (exactness(call).kind === 'inexact' || call.arguments.some(isInexact)) ids.add(column.id);
      }
      return;
    case 'union-all':
      for (const input of relation.inputs) {
        collect(input, ids);
        columnsOfRelation(input).forEach(({id}, place) => {
          const column = relation.columns[place];
          if (ids.has(id) && column !== undefined) ids.add(column.id);
        });
      }
  }
}
