import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {report} from '../../src/cli/report.ts';
import {exitCodes} from '../../src/cli/exit-code.ts';
import {StatementError} from '../../src/cli/statement-error.ts';
import {UsageError} from '../../src/cli/usage.ts';
import {errorCodes, FreshetError} from '../../src/errors.ts';

let written = '';
beforeEach(() => {
  written = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((written += String(text)), true));
});
afterEach(() => vi.restoreAllMocks());

test.each(errorCodes)('%s has an exit status of its own', (code) => {
  expect(report(new FreshetError(code, 'So it is.'), false)).toBe(exitCodes[code]);
  expect(Object.values(exitCodes).filter((status) => status === exitCodes[code])).toHaveLength(1);
  expect(written).toContain(`Error (${code}): So it is.`);
});

test('an error of a statement points into it', () => {
  const error = new FreshetError('syntax', 'Odd.', {position: {line: 1, column: 3}});
  expect(report(new StatementError(error, 'a b'), false)).toBe(exitCodes.syntax);
  expect(written).toBe('Error (syntax): Odd.\n  1 | a b\n    |   ^\n');
});

test('a server that does not answer is unavailable, whoever said so', () => {
  expect(report(new AggregateError([new Error('connect ECONNREFUSED 127.0.0.1:1')]), false)).toBe(
    exitCodes.unavailable,
  );
  expect(
    report(new Error('Failed to start workflow', {cause: new Error('14 UNAVAILABLE: no connection')}), false),
  ).toBe(exitCodes.unavailable);
});

test.each([
  ["Namespace not found: 'nosuch'", 'Temporal has no namespace "nosuch".'],
  ['12 UNIMPLEMENTED: Received HTTP status code 404', 'is no Temporal'],
  ['7 PERMISSION_DENIED: Request unauthorized.', 'lets us not in'],
  ['Failed to connect before the deadline', "can't be reached"],
])('%s is unavailable, and asks for the variables', (message, told) => {
  expect(report(new Error('Failed to start Workflow', {cause: new Error(message)}), false)).toBe(exitCodes.unavailable);
  expect(written).toContain(told);
  expect(written).toContain('TEMPORAL_* variables right?');
  expect(written.trim().split('\n')).toHaveLength(2);
});

test('what nobody foresaw is internal, with its stack', () => {
  expect(report(new TypeError('x is undefined'), false)).toBe(exitCodes.internal);
  expect(written).toContain('report.test.ts');
});

test('under --json standard error is one document', () => {
  report(new FreshetError('has_readers', 'It is read.', {hint: 'Drop those first.'}), true);
  expect(JSON.parse(written)).toEqual({
    error: {code: 'has_readers', message: 'It is read.', hint: 'Drop those first.', position: null},
  });
});

test('a call that makes no sense ends with 2', () => {
  expect(report(new UsageError('No statement.'), false)).toBe(2);
});
