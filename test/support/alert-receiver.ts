import {createHmac} from 'node:crypto';
import {createServer, type IncomingHttpHeaders} from 'node:http';
import {text} from 'node:stream/consumers';
import type {AlertReceiver} from '../../src/config.ts';
import {freePort} from '../../src/dev/free-port.ts';
import type {Alert} from '../../src/workflows/messages.ts';
import {eventually} from './eventually.ts';

export type Post = {readonly headers: IncomingHttpHeaders; readonly body: string; readonly alert: Alert};

/** Somebody whom alerts are posted to, at an address that is a secret as the secret is. */
export type TestReceiver = AsyncDisposable & {
  readonly receiver: AlertReceiver & {readonly secret: string};
  /** Every post, also those that were refused. */
  readonly posts: readonly Post[];
  /** The posts of that kind, once there are as many. */
  readonly posted: (kind: Alert['kind'], count: number) => Promise<readonly Post[]>;
  /** What the signature of a post must be. */
  readonly signature: (post: Post) => string;
};

/** `refusals` posts are answered with 500. */
export async function anAlertReceiver({refusals = 0}: {refusals?: number} = {}): Promise<TestReceiver> {
  const port = await freePort();
  const receiver = {url: `http://127.0.0.1:${port}/t0ken-of-alerts`, secret: 's3cret-of-alerts'};
  const posts: Post[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      // Parsed for the tests' expectations, which look at all of it.
      posts.push({headers: request.headers, body, alert: JSON.parse(body) as Alert});
      response.writeHead(posts.length <= refusals ? 500 : 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    receiver,
    posts,
    posted: (kind, count) =>
      eventually(
        () => Promise.resolve(posts.filter(({alert}) => alert.kind === kind)),
        (found) => found.length >= count,
      ),
    signature: ({body}) => `sha256=${createHmac('sha256', receiver.secret).update(body).digest('hex')}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
