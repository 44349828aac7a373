import {expect, test} from 'vitest';
import {parseLagSeconds, periodSeconds, targetLagText} from '../../src/definition/target-lag.ts';

test.each([
  ['5 minutes', 300],
  ['90 s', 90],
  ['1 Day', 86_400],
  ['1 hour 30 minutes', 5_400],
  ['1.5h', 5_400],
  ['2 weeks', 1_209_600],
])('%s is %d seconds', (text, seconds) => expect(parseLagSeconds(text)).toBe(seconds));

test.each(['', '5', 'minutes', '5 fortnights', '-5 minutes', '5 minutes ago', '0.5 s'])('%j is no span', (text) =>
  expect(parseLagSeconds(text)).toBeNull(),
);

test.each([
  [300, '5 minutes'],
  [90, '90 seconds'],
  [86_400, '1 day'],
  [5_400, '90 minutes'],
])('%d seconds are written %s', (seconds, text) => expect(targetLagText({kind: 'seconds', seconds})).toBe(text));

test('a period is 5 s · 2ⁿ and at most half the lag', () => {
  const period = (seconds: number) => periodSeconds({kind: 'seconds', seconds});
  expect([10, 19, 20, 60, 300, 3_600, 86_400].map(period)).toEqual([5, 5, 10, 20, 80, 1_280, 40_960]);
});

test('periods divide one another, also that of DOWNSTREAM', () => {
  const periods = [10, 60, 3_600, 86_400, 31_536_000].map((seconds) => periodSeconds({kind: 'seconds', seconds}));
  const all = [...periods, periodSeconds({kind: 'downstream'})].toSorted((a, b) => a - b);
  all.slice(1).forEach((period, i) => expect(period % (all[i] ?? 0)).toBe(0));
});
