import {once} from 'node:events';
import {createServer, type AddressInfo} from 'node:net';

/** A free port on loopback: `preferred` when nobody else has it. */
export async function freePort(preferred = 0): Promise<number> {
  const server = createServer();
  try {
    server.listen({port: preferred, host: '127.0.0.1', exclusive: true});
    await once(server, 'listening');
  } catch (error) {
    if (preferred !== 0) return await freePort();
    throw error;
  }
  const {port} = server.address() as AddressInfo; // An IP server's address is always an AddressInfo.
  server.close();
  await once(server, 'close');
  return port;
}

/** Between asking and starting somebody else may take a free port: for so long a server that ends at once is started again. */
export const startsAnewWithinMs = 10_000;
