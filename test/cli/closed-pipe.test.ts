import {PassThrough} from 'node:stream';
import {expect, test} from 'vitest';
import {bearClosedPipe} from '../../src/cli/closed-pipe.ts';

function failing(code: string): () => void {
  const stream = new PassThrough();
  bearClosedPipe(stream);
  return () => void stream.emit('error', Object.assign(new Error(`write ${code}`), {code}));
}

test('a reader that has gone is borne, any other failure of the output is not', () => {
  expect(failing('EPIPE')).not.toThrow();
  expect(failing('ENOSPC')).toThrow('write ENOSPC');
});
