import {execFile} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {connect, constants, createSecureServer, type IncomingHttpHeaders, type ServerHttp2Stream} from 'node:http2';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {promisify} from 'node:util';

/** A Temporal server that wants TLS, a certificate of its client, and an API key. */
export type SecureTemporal = AsyncDisposable & {
  /** By which it is reached: the variables that every program of Temporal reads. */
  readonly environment: Readonly<Record<string, string>>;
};

export const apiKey = 'CANARY_api_key';

/** Stands before a server that wants nothing of all that. With the certificate of an authority clients let it pass, and workers do not. */
export async function aSecureTemporal(address: string, {isAuthority = false} = {}): Promise<SecureTemporal> {
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-tls-'));
  const [server, client] = await Promise.all([
    aCertificate(folder, 'temporal.test', isAuthority),
    aCertificate(folder, 'client.test', false),
  ]);
  const upstream = connect(`http://${address}`);
  const front = createSecureServer({
    key: await readFile(server.key),
    cert: await readFile(server.certificate),
    ca: await readFile(client.certificate),
    requestCert: true,
    rejectUnauthorized: true,
  });
  front.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    if (headers['authorization'] !== `Bearer ${apiKey}`) {
      const refusal = {'content-type': 'application/grpc', 'grpc-status': '16', 'grpc-message': 'no such key'};
      stream.respond({':status': 200, ...refusal}, {endStream: true});
      return;
    }
    passOn(stream, upstream.request({...headers, ':scheme': 'http', ':authority': address}));
  });
  await once(front.listen(0, '127.0.0.1'), 'listening');
  const {port} = front.address() as AddressInfo; // It listens.
  return {
    environment: {
      TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
      TEMPORAL_API_KEY: apiKey,
      TEMPORAL_TLS: 'true',
      TEMPORAL_TLS_SERVER_NAME: 'temporal.test',
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: server.certificate,
      TEMPORAL_TLS_CLIENT_CERT_PATH: client.certificate,
      TEMPORAL_TLS_CLIENT_KEY_PATH: client.key,
    },
    [Symbol.asyncDispose]: async () => {
      upstream.destroy();
      front.close();
      await rm(folder, {recursive: true});
    },
  };
}

async function aCertificate(
  folder: string,
  name: string,
  isAuthority: boolean,
): Promise<{readonly key: string; readonly certificate: string}> {
  const key = path.join(folder, `${name}.key`);
  const certificate = path.join(folder, `${name}.crt`);
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const end = ['-addext', `basicConstraints=critical,CA:${isAuthority ? 'TRUE' : 'FALSE'}`];
  const named = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  await promisify(execFile)('openssl', ['req', ...kind, ...end, ...named, '-keyout', key, '-out', certificate]);
  return {key, certificate};
}

function passOn(stream: ServerHttp2Stream, request: ReturnType<ReturnType<typeof connect>['request']>): void {
  let trailers: IncomingHttpHeaders = {};
  request.on('error', () => stream.close());
  request.on('trailers', (last) => (trailers = last));
  request.on('response', (headers, flags) => {
    if (stream.destroyed) return;
    // gRPC's trailers are the headers of an answer that has nothing but them.
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) {
      stream.respond(headers, {endStream: true});
      return;
    }
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.respond(headers, {waitForTrailers: true});
    request.pipe(stream);
  });
  stream.on('close', () => request.close());
  stream.pipe(request);
}
