import {raw, sql, type Sql} from '../sql.ts';
import {called, caseWhen, castTo, compared, constant, typeOf, type Expression} from './expression.ts';

/**
 * The mean of whole numbers and decimals from their exact sum and count, bit for bit as DuckDB's `avg` has it.
 *
 * DuckDB divides the unscaled sum u by d = count · 10^scale. Where both are below 2^53 the division of two DOUBLEs is the quotient
 * rounded once. DuckDB may round twice, for it divides `long double`s: 64 bits of mantissa on x86, 113 or 53 elsewhere. That is
 * the same number unless the quotient lies within 2^-64 of the middle between two DOUBLEs (one group of some 1,000 to 100,000,
 * measured). There, and for larger sums, it is unsure: see `oneOfSameMean`.
 */
export function average(sum: Expression, count: Expression, scale: number): Expression {
  return castTo(quotient(sum, count, scale), 'DOUBLE');
}

/**
 * Whether the `mean` so made is another one perhaps. With r = k · 2^-f the quotient as DOUBLE, k of 53 bits or one more, the remainder
 * |u · 2^f − k · d| is exact in a HUGEINT, at most d, and the middle between r and its neighbour is where it is d. (Where k turned
 * out to have 53 bits the middle is at d / 2.) Within d / 2^11 of it 64 bits may hide on which side the quotient is; one bit more
 * is taken to be on the safe side.
 */
export function isAverageUnsure(sum: Expression, count: Expression, scale: number, mean: Expression): Expression {
  const r = called('abs', [mean], 'DOUBLE');
  const d = divisor(count, scale);
  const exponent = castTo(called('floor', [called('log2', [r], 'DOUBLE')], 'DOUBLE'), 'INTEGER');
  const f = called('-', [constant('53', 'INTEGER'), exponent], 'INTEGER');
  const power = called('<<', [constant('1', 'HUGEINT'), castTo(f, 'HUGEINT')], 'HUGEINT');
  const k = castTo(called('*', [r, castTo(power, 'DOUBLE')], 'DOUBLE'), 'HUGEINT');
  const u = called('abs', [unscaled(sum, scale)], 'HUGEINT');
  const remainder = called('abs', [minus(times(u, power), times(k, d))], 'HUGEINT');
  const half = compared(k, '<', constant(twoTo53, 'HUGEINT'));
  const distance = caseWhen([{when: half, then: times(constant('2', 'HUGEINT'), remainder)}], remainder);
  const isClose = compared(times(minus(d, distance), constant('1024', 'HUGEINT')), '<=', d);
  const isLarge: Expression = {
    kind: 'logical',
    operator: 'or',
    arguments: [isBeyond(sum, scale), compared(d, '>', constant(twoTo53, 'HUGEINT'))],
  };
  const isNothing: Expression = {
    kind: 'logical',
    operator: 'or',
    arguments: [compared(count, '=', constant('0', 'BIGINT')), compared(sum, '=', constant('0', typeOf(sum)))],
  };
  return caseWhen(
    [
      {when: isNothing, then: constant('false', 'BOOLEAN')},
      {when: isLarge, then: constant('true', 'BOOLEAN')},
    ],
    isClose,
  );
}

/**
 * As many numbers of a type as were averaged, with the same sum: the `avg` of them is the one of the rows, whatever DuckDB does to
 * get at it. `i` counts from 0. All are next to the mean, and so in the type's range.
 */
export function oneOfSameMean(sum: Sql, count: Sql, type: string, i: Sql): Sql {
  const scale = Number(/,\s*(\d+)\)$/.exec(type)?.[1] ?? 0);
  const u = sql`CAST(replace(CAST(${sum} AS VARCHAR), '.', '') AS HUGEINT)`;
  const whole = sql`${u} // ${count} + CASE WHEN ${i} < abs(${u} % ${count}) THEN CAST(sign(${u}) AS HUGEINT) ELSE 0 END`;
  if (scale === 0) return sql`CAST(${whole} AS ${raw(type)})`;
  const unit = sql`CAST(0.${raw('1'.padStart(scale, '0'))} AS DECIMAL(${scale + 1},${scale}))`;
  return sql`CAST(CAST(${whole} AS DECIMAL(38,0)) * ${unit} AS ${raw(type)})`;
}

const twoTo53 = '9007199254740992';

function quotient(sum: Expression, count: Expression, scale: number): Expression {
  const parts = [castTo(unscaled(sum, scale), 'DOUBLE'), castTo(divisor(count, scale), 'DOUBLE')];
  return called('/', parts, 'DOUBLE');
}

/** Null beyond 2^53: to scale it might overflow, and it is unsure anyway. */
function unscaled(sum: Expression, scale: number): Expression {
  const whole =
    scale === 0 ? sum : called('*', [sum, constant(`1${'0'.repeat(scale)}`, `DECIMAL(${scale + 1},0)`)], typeOf(sum));
  return caseWhen([{when: isBeyond(sum, scale), then: constant('NULL', 'HUGEINT')}], castTo(whole, 'HUGEINT'));
}

function isBeyond(sum: Expression, scale: number): Expression {
  const digits = twoTo53.padStart(scale + 1, '0');
  const bound = `${digits.slice(0, digits.length - scale)}.${digits.slice(digits.length - scale)}`;
  return compared(called('abs', [sum], typeOf(sum)), '>', constant(scale === 0 ? twoTo53 : bound, typeOf(sum)));
}

function divisor(count: Expression, scale: number): Expression {
  const whole = castTo(count, 'HUGEINT');
  return scale === 0 ? whole : times(whole, constant(`1${'0'.repeat(scale)}`, 'HUGEINT'));
}

function times(left: Expression, right: Expression): Expression {
  return called('*', [left, right], 'HUGEINT');
}

function minus(left: Expression, right: Expression): Expression {
  return called('-', [left, right], 'HUGEINT');
}
