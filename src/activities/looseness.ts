import type {Bound} from '../binder/bound.ts';
import {exactness} from '../relation/aggregate-functions.ts';
import {columnsOf, type AggregateCall, type Expression} from '../relation/expression.ts';
import {columnsOfRelation, type Relation} from '../relation/relation.ts';

/**
 * How a column's values may differ between two evaluations of one query. `equal`: only in which of equal values is shown, as
 * 0.0 and -0.0 are; `close`: in the last bits of a float, which depend on the order in which rows were added.
 */
export type Looseness = 'equal' | 'close';

/** The loose ones of the outputs, by place. Of a query that can only be run as a whole every float is taken to be one. */
export function loosePlaces({reading, outputs}: Bound): ReadonlyMap<number, Looseness> {
  const columns = reading.kind === 'full' ? null : columnsOfRelation(reading.relation);
  const found = new Map<number, Looseness>();
  if (reading.kind === 'relation') collect(reading.relation, found);
  const floats = outputs.flatMap(({storedType}, place) => (/^(FLOAT|DOUBLE)$/.test(storedType) ? [place] : []));
  return new Map(
    floats.map((place) => {
      const looseness = columns === null ? 'close' : found.get(columns[place]?.id ?? -1);
      // A file's dictionary takes 0.0 and -0.0 for one value: the table may have lost a sign that the query has.
      return [place, looseness ?? 'equal'] as const;
    }),
  );
}

/** Adds what is known of each column, by its id, from the scans upwards. */
function collect(relation: Relation, found: Map<number, Looseness>): void {
  const add = (id: number, looseness: Looseness | undefined) => {
    if (looseness !== undefined) found.set(id, looseness);
  };
  switch (relation.kind) {
    case 'scan':
    case 'staged':
    case 'values':
      return;
    case 'filter':
    case 'restrict':
      return collect(relation.input, found);
    case 'join':
      collect(relation.left, found);
      return collect(relation.right, found);
    case 'project':
      collect(relation.input, found);
      for (const {column, expression} of relation.outputs) add(column.id, ofExpression(expression, found));
      return;
    case 'aggregate':
      collect(relation.input, found);
      for (const {column, expression} of relation.keys) add(column.id, ofExpression(expression, found) ?? 'equal');
      for (const {column, call} of relation.aggregates) add(column.id, ofCall(call, found));
      return;
    case 'union-all':
      for (const input of relation.inputs) {
        collect(input, found);
        columnsOfRelation(input).forEach(({id}, place) => {
          const column = relation.columns[place];
          if (column !== undefined && found.get(column.id) !== 'close') add(column.id, found.get(id));
        });
      }
  }
}

/** Arithmetic makes another number of another zero (1 / -0.0): what is computed from loose values is close at best. */
function ofExpression(expression: Expression, found: ReadonlyMap<number, Looseness>): Looseness | undefined {
  if (expression.kind === 'column') return found.get(expression.id);
  return [...columnsOf(expression)].some((id) => found.has(id)) ? 'close' : undefined;
}

/** These show one of the values that they are given. */
const pickers: ReadonlySet<string> = new Set(['min', 'max', 'median', 'quantile', 'quantile_disc']);

function ofCall(call: AggregateCall, found: ReadonlyMap<number, Looseness>): Looseness | undefined {
  if (call.arguments.some((argument) => ofExpression(argument, found) === 'close')) return 'close';
  if (exactness(call).kind === 'exact') return undefined;
  return pickers.has(call.name) ? 'equal' : 'close';
}
