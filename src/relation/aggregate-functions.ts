import type {AggregateCall, Expression} from './expression.ts';
import {typeOf} from './expression.ts';
import {hasCoarseEquality} from './identity.ts';

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
