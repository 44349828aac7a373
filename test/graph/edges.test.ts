import {expect, test} from 'vitest';
import {cyclePath, readersOf, transitiveReadersOf, transitiveUpstreamsOf, upstreamsOf} from '../../src/graph/edges.ts';

const diamond = [
  {name: 'a', sources: ['base']},
  {name: 'b', sources: ['a', 'other']},
  {name: 'c', sources: ['a']},
  {name: 'd', sources: ['b', 'c', 'base']},
];

test('a source that is no dynamic table is no upstream', () => {
  expect(upstreamsOf('d', diamond)).toEqual(['b', 'c']);
  expect(upstreamsOf('a', diamond)).toEqual([]);
});

test('readers are direct ones', () => {
  expect(readersOf('a', diamond)).toEqual(['b', 'c']);
  expect(readersOf('d', diamond)).toEqual([]);
});

test('all tables below come once, each after those that it reads', () => {
  expect(transitiveUpstreamsOf('d', diamond)).toEqual(['a', 'b', 'c']);
});

test('all tables above come once, however many ways lead there', () => {
  expect(transitiveReadersOf('a', diamond)).toEqual(['b', 'd', 'c']);
  expect(transitiveReadersOf('d', diamond)).toEqual([]);
});

test('a table that would read itself is shown the way back', () => {
  expect(cyclePath('a', ['d'], diamond)).toEqual(['a', 'd', 'b', 'a']);
  expect(cyclePath('x', ['x'], diamond)).toEqual(['x', 'x']);
  expect(cyclePath('x', ['d', 'base'], diamond)).toBeNull();
});
