import {isSameCall, merging, type Accumulator} from '../relation/aggregate-functions.ts';
import {
  and,
  called,
  caseWhen,
  castTo,
  column,
  compared,
  constant,
  absent,
  typeOf,
  type AggregateCall,
  type Column,
  type Expression,
} from '../relation/expression.ts';
import {isStoredAsItIs} from '../relation/identity.ts';
import type {Aggregate, Output, Relation} from '../relation/relation.ts';
import type {Change, Derivation} from './derivation.ts';
import {output} from './derivation.ts';

/**
 * What is kept of an aggregate's groups so that a change can be merged into them: their keys, and accumulators of which each
 * can be carried on by itself. `relation` says what that is, whoever may have computed it.
 */
export type Groups = {
  readonly relation: Aggregate;
  /** One for each call of `relation`: how it is kept. */
  readonly accumulators: readonly Accumulator[];
  /** The accumulator that counts a group's rows: a group without any goes. Null without GROUP BY: then the one group stays. */
  readonly rows: number | null;
  /** The aggregate's own columns in terms of the accumulators. */
  readonly answers: readonly Output[];
  /** Answers that are means, which arithmetic alone may round otherwise than `avg` does. */
  readonly means: readonly Mean[];
};

/** `answer`: its place among the answers; `type`: of what is averaged. */
export type Mean = {
  readonly answer: number;
  readonly quotient: Output;
  readonly unsure: Expression;
  readonly count: Expression;
  readonly sum: Expression;
  readonly type: string;
};

/**
 * The groups of an aggregate whose every call can be merged; null otherwise. No key may be of a type whose equal values differ
 * (which of 0.0 and −0.0 a group shows depends on its rows), or which the lake does not keep as it is.
 */
export function groupsOf(top: Aggregate, derivation: Derivation): Groups | null {
  if (top.keys.some(({column: key}) => !isStoredAsItIs(key.type))) return null;
  const accumulators: Accumulator[] = [];
  const columns: Column[] = [];
  const keep = (accumulator: Accumulator): Expression => {
    let place = accumulators.findIndex((other) => isSameCall(other.call, accumulator.call));
    if (place < 0) {
      place = accumulators.push(accumulator) - 1;
      columns.push(derivation.column(nameOf(accumulator), accumulator.type));
    }
    const kept = columns[place];
    return kept === undefined ? absent(accumulator.type) : column(kept);
  };
  if (top.grouped) keep(countOfRows);
  const answers: Output[] = [];
  const means: Mean[] = [];
  for (const {column: made, call} of top.aggregates) {
    const rule = merging(call);
    if (rule.kind !== 'merged') return null;
    const kept = rule.kept.map(keep);
    answers.push(output(made, castTo(rule.answer(kept), made.type)));
    const [count, sum] = kept;
    if (rule.mean && count && sum) {
      const {type, quotient, unsure} = rule.mean;
      const mean = derivation.column('mean', 'DOUBLE');
      means.push({
        ...{answer: answers.length - 1, count, sum, type},
        quotient: output(mean, quotient(sum, count)),
        unsure: unsure(sum, count, column(mean)),
      });
    }
  }
  const aggregates = columns.flatMap((made, n) => {
    const call = accumulators[n]?.call;
    return call === undefined ? [] : [{column: {...made, type: call.type}, call}];
  });
  return {
    relation: {...top, aggregates},
    accumulators,
    rows: top.grouped ? 0 : null,
    answers,
    means,
  };
}

/**
 * What a change gives each group: for one that adds up the sum over its rows by weight, for `min` and `max` the best value that
 * came and the best that went.
 *
 * γ_K(R + ΔR) is γ_K(R) merged with this, for each accumulator: counts and sums are linear, so that it need not be netted. The
 * least of R′ is the lesser of the old one and of what came, unless the old one went; what came and went must be net for that,
 * or a row that only terms of a join speak of would count.
 */
export function changeOfGroups(groups: Groups, {relation: change, weight}: Change, derivation: Derivation): Relation {
  const {keys, aggregates} = groups.relation;
  const linear = aggregates.flatMap(({column: kept, call}) =>
    isExtreme(call) ? [] : [{kept, call: weighedSum(call, column(weight))}],
  );
  const extremes = aggregates.filter(({call}) => isExtreme(call));
  if (extremes.length === 0) {
    const sums = linear.map(({kept, call}) => ({column: derivation.column(kept.name, call.type), call}));
    return {kind: 'aggregate', input: change, grouped: true, keys, aggregates: sums};
  }
  const sums = linear.map(({kept, call}) => ({column: derivation.column(kept.name, call.type), call}));
  const values = extremes.map(({column: kept, call}) => output(derivation.column(kept.name, kept.type), valueOf(call)));
  const copies = {column: derivation.column('copies', 'HUGEINT'), call: sumOf(column(weight), null, 'HUGEINT')};
  const innerKeys = keys.map(({column: key, expression}) => output(derivation.column(key.name, key.type), expression));
  const netted: Relation = {
    kind: 'aggregate',
    input: change,
    grouped: true,
    keys: [...innerKeys, ...values],
    aggregates: [...sums, copies],
  };
  const best = (operator: '>' | '<') => (value: Output, n: number) => {
    const name = extremes[n]?.call.name ?? 'min';
    const made = derivation.column(`${name}_${operator === '>' ? 'came' : 'went'}`, value.column.type);
    const filter = compared(column(copies.column), operator, constant('0', 'HUGEINT'));
    const call: AggregateCall = {
      ...{name, arguments: [column(value.column)], distinct: false, filter, orderBy: []},
      type: value.column.type,
    };
    return {column: made, call};
  };
  return {
    kind: 'aggregate',
    input: netted,
    grouped: true,
    keys: keys.map(({column: key}, n) => output(key, column(innerKeys[n]?.column ?? key))),
    aggregates: [
      ...sums.map(({column: sum}) => ({
        column: derivation.column(sum.name, sum.type),
        call: sumOf(column(sum), null, sum.type),
      })),
      ...values.map(best('>')),
      ...values.map(best('<')),
    ],
  };
}

export function isExtreme({name}: AggregateCall): boolean {
  return name === 'min' || name === 'max';
}

const countOfRows: Accumulator = {
  call: {name: 'count_star', arguments: [], distinct: false, filter: null, orderBy: [], type: 'BIGINT'},
  type: 'BIGINT',
};

function nameOf({call: {name}}: Accumulator): string {
  return name === 'count_star' ? 'rows' : name;
}

/** The sum over rows by weight of what one row adds. */
function weighedSum({name, arguments: [value], filter, type}: AggregateCall, weight: Expression): AggregateCall {
  if (value === undefined) return sumOf(weight, filter, 'HUGEINT');
  if (name === 'count') {
    const isThere: Expression = {kind: 'operator', operator: 'IS NOT NULL', arguments: [value], type: 'BOOLEAN'};
    return sumOf(weight, and(filter, isThere), 'HUGEINT');
  }
  const factor = castTo(weight, type === 'HUGEINT' ? 'HUGEINT' : 'DECIMAL(18,0)');
  return sumOf(called('*', [factor, type === 'HUGEINT' ? castTo(value, 'HUGEINT') : value], type), filter, type);
}

function sumOf(value: Expression, filter: Expression | null, type: string): AggregateCall {
  return {name: 'sum', arguments: [value], distinct: false, filter, orderBy: [], type};
}

/** What of a row `min` and `max` look at: nothing where their filter leaves it out. */
function valueOf({arguments: [value], filter, type}: AggregateCall): Expression {
  const given = value ?? absent(type);
  return filter === null ? given : caseWhen([{when: filter, then: given}], absent(typeOf(given)));
}
