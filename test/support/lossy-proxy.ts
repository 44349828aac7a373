import {connect, createServer, type AddressInfo, type Socket} from 'node:net';

/**
 * Stands before PostgreSQL and can lose one COMMIT of what was written: 'answer' lets it through and cuts the line before the answer, 'request' cuts
 * it before PostgreSQL hears of it. Frozen it takes every connection and word, and passes nothing on, like a server that hangs.
 */
export type LossyProxy = {
  /** The same database by way of the proxy. */
  readonly url: string;
  readonly lose: (what: 'answer' | 'request') => void;
  /** How many COMMITs have been lost. */
  readonly lost: () => number;
  readonly freeze: () => void;
  /** What was said meanwhile is passed on. */
  readonly thaw: () => void;
};

export async function aLossyProxy(target: string): Promise<LossyProxy & AsyncDisposable> {
  const {hostname, port} = new URL(target);
  const sockets = new Set<Socket>();
  let losing: 'answer' | 'request' | null = null;
  let lost = 0;
  let isFrozen = false;

  const server = createServer((client) => {
    const database = connect(Number(port), hostname);
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => (sockets.delete(socket), client.destroy(), database.destroy()));
    }
    if (isFrozen) for (const socket of [client, database]) socket.pause();
    let isMute = false;
    let hasWritten = false;
    client.on('data', (data) => {
      // A transaction of the lake ends several of PostgreSQL, of which all but one have only read.
      hasWritten ||= data.includes('INSERT INTO');
      const isEnd = data.includes('COMMIT\0');
      const isLost = losing !== null && hasWritten && isEnd;
      if (isEnd) hasWritten = false;
      if (isLost && losing === 'request') client.destroy();
      else database.write(data);
      if (!isLost) return;
      isMute = true;
      losing = null;
      lost++;
    });
    database.on('data', (data) => {
      if (isMute) client.destroy();
      else client.write(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port); // A TCP server that listens.
  return {
    url: url.href,
    lose: (what) => (losing = what),
    lost: () => lost,
    freeze: () => {
      isFrozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw: () => {
      isFrozen = false;
      for (const socket of sockets) socket.resume();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
