import {describe, expect, test} from 'vitest';
import {compare} from '../../scenarios/compare.ts';

const exact = {isFloat: [false], signsAreOne: false};
const float = {isFloat: [true], signsAreOne: false};

describe('the oracle', () => {
  test('takes the same rows in another order for equal', () => {
    expect(compare('t', [['1'], [null], ['1']], [[null], ['1'], ['1']], exact)).toBeNull();
  });

  test('counts copies', () => {
    expect(compare('t', [['1'], ['1']], [['1']], exact)).toEqual({table: 't', missing: [], extra: [['1']]});
    expect(compare('t', [['1']], [['1'], ['1']], exact)).toEqual({table: 't', missing: [['1']], extra: []});
  });

  test('tells null from the text NULL and from the empty text', () => {
    expect(compare('t', [[null]], [['NULL']], exact)).not.toBeNull();
    expect(compare('t', [[null]], [['']], exact)).not.toBeNull();
  });

  test.each([
    ['-0.0', '0.0'],
    ['-nan', 'nan'],
  ])('tells %s from %s, but where a group may show either', (one, other) => {
    expect(compare('t', [[one]], [[other]], float)).not.toBeNull();
    expect(compare('t', [[one]], [[other]], {...float, signsAreOne: true})).toBeNull();
  });

  test('lets the last bits of floats differ, and nothing else', () => {
    expect(compare('t', [['0.6000000000000001']], [['0.6']], float)).toBeNull();
    expect(compare('t', [['5.551115123125783e-17']], [['0.0']], float)).toBeNull();
    expect(compare('t', [['0.6001']], [['0.6']], float)).not.toBeNull();
    expect(compare('t', [['nan']], [['0.6']], float)).not.toBeNull();
    expect(compare('t', [['0.6000000000000001']], [['0.6']], exact)).not.toBeNull();
  });
});
