import {PassThrough} from 'node:stream';
import {afterEach, expect, test, vi} from 'vitest';
import {bearClosedPipe} from '../../src/cli/closed-pipe.ts';

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

test.each([
  ['EPIPE', '', undefined],
  ['ENOSPC', "error: The output can't be written: write ENOSPC\n", 1],
])('after %s a command goes on, and says %j', (code, told, status) => {
  let written = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((written += String(text)), true));
  const stream = new PassThrough();
  bearClosedPipe(stream);
  for (let i = 0; i < 3; i++) stream.emit('error', Object.assign(new Error(`write ${code}`), {code}));
  expect(written).toBe(told);
  expect(process.exitCode).toBe(status);
});
