import {once} from 'node:events';
import {createServer} from 'node:http';
import {FreshetError} from './errors.ts';

/** What whoever watches over a worker is told. */
export type Health = {
  /** Whether it takes work. */
  readonly isReady: boolean;
  /** In words, for people: what it waits for, that it runs or stops. */
  readonly state: string;
};

/**
 * Answers at `/livez` while the process answers at all, and at `/readyz` 200 when it takes work, else 503. A worker that waits for a
 * server lives: to start it again would not mend that.
 */
export async function serveHealth(address: string, health: () => Health): Promise<AsyncDisposable> {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(address) ?? [];
  const server = createServer(({url}, response) => {
    const {isReady, state} = health();
    const status = url === '/livez' || (url === '/readyz' && isReady) ? 200 : url === '/readyz' ? 503 : 404;
    response.writeHead(status, {'content-type': 'application/json'});
    response.end(status === 404 ? '{}\n' : `${JSON.stringify({isReady, state})}\n`);
  });
  try {
    await once(server.listen(Number(port), host.replaceAll(/[[\]]/g, '')), 'listening');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FreshetError(
      'invalid_configuration',
      `FRESHET_HEALTH_ADDRESS is "${address}", where nothing can be served: ${why}`,
      {
        hint: 'Give an address of this machine and a port that is free.',
        cause,
      },
    );
  }
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
