/**
 * Lets a command go on to its end when its output can't be written any more: what it began is finished and closed in order.
 * When nobody reads any more, as in `freshet sql … | head -3`, nothing is said about the rest; a full disk is told once, and
 * makes the command fail.
 */
export function bearClosedPipe(stream: NodeJS.WritableStream): void {
  let isTold = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED' || isTold) return;
    isTold = true;
    process.exitCode = unwrittenExitCode;
    if (stream !== process.stderr) process.stderr.write(`error: The output can't be written: ${error.message}\n`);
  });
}

/** That of an error nobody foresaw. */
const unwrittenExitCode = 1;
