import {expect, test} from 'vitest';
import {errorJson, errorText} from '../../src/cli/error-text.ts';
import {FreshetError} from '../../src/errors.ts';

test('an error shows its line with a caret under its column, and what to do', () => {
  const error = new FreshetError('unknown_column', 'There is no column "regoin" (line 2, column 8).', {
    position: {line: 2, column: 8},
    hint: 'Did you mean "region"?',
  });
  expect(errorText(error, 'create dynamic table totals as\nselect regoin from orders\n')).toBe(
    [
      'Error (unknown_column): There is no column "regoin" (line 2, column 8).',
      '  2 | select regoin from orders',
      '    |        ^',
      'Did you mean "region"?',
    ].join('\n'),
  );
});

test('the caret stands right after tabs and after characters of two code units', () => {
  const error = new FreshetError('syntax', 'Odd.', {position: {line: 1, column: 4}});
  expect(errorText(error, '\t𝒳 !')).toBe('Error (syntax): Odd.\n  1 | \t𝒳 !\n    | \t  ^');
});

test('an error without a position shows no source', () => {
  expect(errorText(new FreshetError('unavailable', 'No answer.'), 'select 1')).toBe('Error (unavailable): No answer.');
});

test('as JSON an error has all its parts, absent ones as null', () => {
  expect(errorJson(new FreshetError('syntax', 'Odd.', {position: {line: 1, column: 4}}))).toEqual({
    error: {code: 'syntax', message: 'Odd.', hint: null, position: {line: 1, column: 4}},
  });
});
