/**
 * Lets a command go on to its end when nobody reads its output any more, as in `freshet sql … | head -3`: what it began is
 * finished and closed in order, and nothing is said about the rest.
 */
export function bearClosedPipe(stream: NodeJS.WritableStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
  });
}
