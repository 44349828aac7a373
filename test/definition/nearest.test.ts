import {expect, test} from 'vitest';
import {didYouMean, nearest} from '../../src/definition/nearest.ts';

test.each([
  ['regoin', ['id', 'region', 'amount'], 'region'],
  ['REGION', ['id', 'Region'], 'Region'],
  ['idd', ['id', 'idle'], 'id'],
  ['main.totls', ['main.top3', 'main.totals'], 'main.totals'],
])('%s is mistyped: of %j it is %s', (written, candidates, meant) => {
  expect(nearest(written, candidates)).toBe(meant);
});

test.each([
  ['sales.orders', ['main.regions', 'main.orders'], 'main.orders'],
  ['orders', ['regions', 'sales.orders'], 'sales.orders'],
  ['ordrs', ['regions', 'sales.orders'], 'sales.orders'],
])('%s is in another schema: of %j it is %s', (written, candidates, meant) => {
  expect(nearest(written, candidates)).toBe(meant);
});

test('a name that was not written to its end is completed, unless it has hardly begun', () => {
  expect(nearest('main.daily', ['main.orders', 'main.daily_route_delays'])).toBe('main.daily_route_delays');
  expect(nearest('da', ['daily_route_delays'])).toBeUndefined();
});

test('of several, the one with the fewest mistyped letters is meant', () => {
  expect(nearest('order', ['order_lines', 'sales.order', 'orders'])).toBe('orders');
});

test.each([
  ['xyzzy', ['id', 'region']],
  ['a', ['b', 'c']],
  // A schema in common makes names no nearer.
  ['main.nope', ['main.top3']],
  ['main.top', ['main.sums']],
])('%s is too far from all of %j', (written, candidates) => {
  expect(nearest(written, candidates)).toBeUndefined();
});

test('a hint asks for what was meant, and says nothing when nothing is near', () => {
  expect(didYouMean('ordrs', ['orders'])).toBe('Did you mean "orders"?');
  expect(didYouMean('xyzzy', ['orders'])).toBeUndefined();
});
