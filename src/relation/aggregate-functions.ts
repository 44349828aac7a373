import {average, isAverageUnsure} from './average.ts';
import {absent, and, caseWhen, castTo, compared, constant, type AggregateCall, type Expression} from './expression.ts';
import {typeOf} from './expression.ts';
import {hasCoarseEquality, isStoredAsItIs} from './identity.ts';

/**
 * Whether a second evaluation over the same rows gives the same answer, bit for bit. `inexact`: equal as numbers go, but the
 * last bits (or the sign of a zero) depend on the order of rows. `free-choice`: DuckDB may answer otherwise.
 */
export type Exactness =
  | {readonly kind: 'exact'}
  | {readonly kind: 'inexact'; readonly why: string}
  | {readonly kind: 'free-choice'; readonly why: string; readonly rewrite?: string};

/** The one place that knows DuckDB's aggregate functions. What is not listed here is a free choice. */
export function exactness(call: AggregateCall): Exactness {
  if (call.isOverOneRow) return exact;
  const rule = rules.get(call.name) ?? unknown;
  return rule(call);
}

type Rule = (call: AggregateCall) => Exactness;

const exact: Exactness = {kind: 'exact'};

/** The answer depends on the multiset of arguments alone, whatever they are. */
const always: Rule = () => exact;

/** Exact arithmetic, unless the numbers are floats: addition of floats depends on its order. */
const arithmetic: Rule = (call) => (isFloat(call) ? inexact(`${call.name} over floats`) : exact);

const floatArithmetic: Rule = ({name}) => inexact(`${name}, which adds floats,`);

/** One of the values themselves, or something made of them in their own order: whichever of equal ones it takes must not show. */
const ofValues: Rule = (call) =>
  argumentsOf(call).some((type) => hasCoarseEquality(type))
    ? inexact(`${call.name} over a type whose equal values differ, such as 0.0 and -0.0,`)
    : exact;

/** Takes rows as they come, unless told an order that tells every two different arguments apart. */
const asTheyCome =
  (rewrite: string): Rule =>
  (call) => {
    if (hasTotalOrder(call)) return ofValues(call);
    const better = call.orderBy.length === 0 ? rewrite : 'add its own argument to its ORDER BY';
    return {kind: 'free-choice', why: `${call.name} without a total order`, rewrite: better};
  };

const tied =
  (rewrite?: string): Rule =>
  ({name}) => ({kind: 'free-choice', why: `${name} among ties`, ...(rewrite === undefined ? {} : {rewrite})});

const estimate: Rule = ({name}) => ({
  kind: 'free-choice',
  why: `${name}, an estimate that depends on the order of rows,`,
  rewrite: 'use the exact function',
});

const unknown: Rule = ({name}) => ({kind: 'free-choice', why: `the aggregate ${name}`});

const minOrMax = 'use min or max';
const ownOrder = 'order it by its own argument, as in list(x ORDER BY x)';
const structMax = 'take the largest struct, as in max({by: v, arg: x}).arg';

const rules: ReadonlyMap<string, Rule> = new Map([
  ...each('count count_star count_if countif bool_and bool_or bit_and bit_or bit_xor bitstring_agg regr_count', always),
  // HyperLogLog keeps the largest of each register, so it is an estimate that does not depend on the order.
  ...each('approx_count_distinct', always),
  ...each('sum sum_no_overflow avg mean', arithmetic),
  ...each('min max median quantile quantile_disc quantile_cont mad histogram histogram_exact', ofValues),
  ...each('kahan_sum fsum sumkahan favg product geomean geometric_mean entropy', floatArithmetic),
  ...each(
    'stddev stddev_pop stddev_samp variance var_pop var_samp sem skewness kurtosis kurtosis_pop',
    floatArithmetic,
  ),
  ...each('corr covar_pop covar_samp regr_avgx regr_avgy regr_intercept regr_r2 regr_slope', floatArithmetic),
  ...each('regr_sxx regr_sxy regr_syy', floatArithmetic),
  ...each('first last any_value arbitrary first_value last_value', asTheyCome(minOrMax)),
  ...each('list array_agg string_agg group_concat listagg', asTheyCome(ownOrder)),
  ...each('arg_max argmax max_by arg_min argmin min_by', tied(structMax)),
  ...each('arg_max_null arg_max_nulls_last arg_min_null arg_min_nulls_last', tied(structMax)),
  ...each('mode', tied()),
  ...each('approx_quantile reservoir_quantile approx_top_k', estimate),
]);

function each(names: string, rule: Rule): [string, Rule][] {
  return names.split(' ').map((name) => [name, rule]);
}

function inexact(why: string): Exactness {
  return {kind: 'inexact', why};
}

/** avg and sum of whole numbers, decimals and times add whole numbers inside. */
function isFloat(call: AggregateCall): boolean {
  return argumentsOf(call).some(
    (type) => !/^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DECIMAL\b.*|BOOLEAN|DATE|TIME|TIMESTAMP.*)$/.test(type),
  );
}

function argumentsOf({arguments: inputs}: AggregateCall): readonly string[] {
  return inputs.map(typeOf);
}

/** With DISTINCT the order is over the argument alone; constants, such as a separator, are the same for every row. */
function hasTotalOrder({arguments: inputs, orderBy}: AggregateCall): boolean {
  const varying = inputs.filter((input) => input.kind !== 'constant');
  return varying.every((input) => orderBy.some(({expression}) => isWrittenAlike(expression, input)));
}

function isWrittenAlike(a: Expression, b: Expression): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * Whether the answer over changed rows follows from what is kept of the old ones and from the change alone, exactly.
 *
 * `kept`: the calls whose answers are kept, each of which can be merged by itself (see `Accumulator`), and the answer in terms
 * of them. `mean`: where a count and a sum, kept in this order, make a mean that arithmetic alone may round otherwise.
 */
export type Merging =
  | {
      readonly kind: 'merged';
      readonly kept: readonly Accumulator[];
      readonly answer: (kept: readonly Expression[]) => Expression;
      readonly mean?: MeanRule;
    }
  | {readonly kind: 'recomputed'; readonly why: string};

/** The quotient, whether it is rounded as DuckDB's own, and the type of what is averaged. */
export type MeanRule = {
  readonly type: string;
  readonly quotient: (sum: Expression, count: Expression) => Expression;
  readonly unsure: (sum: Expression, count: Expression, quotient: Expression) => Expression;
};

/**
 * A call that is kept as a column of `type`. `count` and `sum` add what the change adds up to, weights counted; of `min` and
 * `max` the better of both is taken, unless a row went that held it: then the group has to be read.
 */
export type Accumulator = {
  readonly call: AggregateCall & {readonly name: 'count_star' | 'count' | 'sum' | 'min' | 'max'};
  readonly type: string;
};

/** The one place that knows which aggregates can be taken back exactly. What is not listed here is recomputed. */
export function merging(call: AggregateCall): Merging {
  if (call.distinct) return recomputed('of equal values one counts, and how many there are is not kept');
  return (mergings.get(call.name) ?? notListed)(call);
}

/** Whether two calls answer the same over the same rows; the order of rows changes nothing where it is asked. */
export function isSameCall(one: AggregateCall, other: AggregateCall): boolean {
  const parts = ({name, arguments: inputs, distinct, filter, type}: AggregateCall) =>
    JSON.stringify([name, inputs, distinct, filter, type]);
  return parts(one) === parts(other);
}

type MergingRule = (call: AggregateCall) => Merging;

function recomputed(why: string): Merging {
  return {kind: 'recomputed', why};
}

const notListed: MergingRule = ({name}) => recomputed(`no rule takes rows back from ${name}`);

/** Rows are counted, so a row less is one less. */
const counted: MergingRule = (call) => ({
  kind: 'merged',
  kept: [call.arguments.length === 0 ? rowsOf(call) : valuesOf(call)],
  answer: ([count]) => count ?? absent('BIGINT'),
});

/** Whole numbers and decimals: a sum less a summand is exact, a sum of floats is not. {5, NULL} − 5 is NULL, not 0: so values are counted. */
const summed: MergingRule = (call) => {
  const sum = sumOf(call);
  if (sum === null) return recomputed('a sum of floats depends on its order, so that no summand can be taken back');
  return {
    kind: 'merged',
    kept: [valuesOf(call), sum],
    answer: ([count, total]) => unlessNone(count, castTo(total ?? absent(sum.type), call.type)),
  };
};

/** The quotient of sum and count: see `average`. */
const averaged: MergingRule = (call) => {
  const sum = sumOf(call);
  if (sum === null) return recomputed('a sum of floats depends on its order, so that no summand can be taken back');
  if (scaleOf(sum.type) > 15) return recomputed('its sum has more digits behind the point than a float');
  return {
    kind: 'merged',
    kept: [valuesOf(call), sum],
    answer: ([count = absent('BIGINT'), total = absent(sum.type)]) =>
      unlessNone(count, average(total, count, scaleOf(sum.type))),
    mean: {
      type: argumentsOf(call)[0] ?? sum.type,
      quotient: (total, count) => average(total, count, scaleOf(sum.type)),
      unsure: (total, count, mean) => isAverageUnsure(total, count, scaleOf(sum.type), mean),
    },
  };
};

/** How many are true of how many that are not null. */
const truths =
  (answer: (values: Expression, truthful: Expression, call: AggregateCall) => Expression): MergingRule =>
  (call) => {
    const [value] = call.arguments;
    if (value === undefined || typeOf(value) !== 'BOOLEAN') return recomputed('its argument is no truth value');
    return {
      kind: 'merged',
      kept: [valuesOf(call), rowsOf({...call, filter: and(call.filter, value)})],
      answer: ([values = absent('BIGINT'), truthful = absent('BIGINT')]) =>
        unlessNone(values, answer(values, truthful, call)),
    };
  };

/** A value that comes is compared with the one that is kept; once that one goes, only the rows know the next. */
const extreme: MergingRule = (call) => {
  const [value, ...more] = call.arguments;
  if (value === undefined || more.length > 0) return recomputed('it keeps several values');
  if (!isStoredAsItIs(typeOf(value)))
    return recomputed('of a type whose equal values differ, or which the lake changes on the way');
  const kept = {...bare(call), name: call.name === 'min' ? 'min' : 'max'} as const;
  return {kind: 'merged', kept: [{call: kept, type: call.type}], answer: ([held]) => held ?? absent(call.type)};
};

const mergings: ReadonlyMap<string, MergingRule> = new Map<string, MergingRule>([
  ['count_star', counted],
  ['count', counted],
  ['sum', summed],
  ['avg', averaged],
  ['mean', averaged],
  ['count_if', truths((_, truthful, {type}) => castTo(truthful, type))],
  ['countif', truths((_, truthful, {type}) => castTo(truthful, type))],
  ['bool_and', truths((values, truthful) => compared(truthful, '=', values))],
  ['bool_or', truths((_, truthful) => compared(truthful, '>', constant('0', 'BIGINT')))],
  ['min', extreme],
  ['max', extreme],
]);

/** What a call is but for what changes nothing of its answer. */
function bare({arguments: inputs, filter, type}: AggregateCall) {
  return {arguments: inputs, distinct: false, filter, orderBy: [], type};
}

function rowsOf(call: AggregateCall): Accumulator {
  return {call: {...bare(call), name: 'count_star', arguments: [], type: 'BIGINT'}, type: 'BIGINT'};
}

function valuesOf(call: AggregateCall): Accumulator {
  return {call: {...bare(call), name: 'count', type: 'BIGINT'}, type: 'BIGINT'};
}

/** As the lake holds it exactly: DuckDB adds whole numbers up to a HUGEINT, decimals to a DECIMAL(38,s). */
function sumOf(call: AggregateCall): Accumulator | null {
  const [value] = call.arguments;
  const type = value === undefined ? '' : typeOf(value);
  const isWhole = /^(U?(TINY|SMALL|BIG)INT|U?INTEGER|HUGEINT)$/.test(type);
  if (!isWhole && !type.startsWith('DECIMAL')) return null;
  const scale = isWhole ? 0 : scaleOf(type);
  const sumType = isWhole ? 'HUGEINT' : `DECIMAL(38,${scale})`;
  return {call: {...bare(call), name: 'sum', type: sumType}, type: `DECIMAL(38,${scale})`};
}

function scaleOf(type: string): number {
  return Number(/,\s*(\d+)\)$/.exec(type)?.[1] ?? 0);
}

function unlessNone(count: Expression | undefined, answer: Expression): Expression {
  const isNone = compared(count ?? absent('BIGINT'), '=', constant('0', 'BIGINT'));
  return caseWhen([{when: isNone, then: absent(typeOf(answer))}], answer);
}
