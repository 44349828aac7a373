import {X509Certificate} from 'node:crypto';
import {createSecureContext} from 'node:tls';
import {
  loadClientConfigProfile,
  toClientOptions,
  type ClientConfigProfile,
  type ClientConnectConfig,
} from '@temporalio/envconfig';
import {FreshetError} from './errors.ts';

/** How Temporal is reached, by the variables and the file that all its programs read. */
export function readTemporal(environment: Readonly<Record<string, string | undefined>>): ClientConnectConfig {
  // Empty as not set, as everywhere: an API key without a character would turn TLS on.
  const set = Object.entries(environment).filter((entry): entry is [string, string] => Boolean(entry[1]));
  try {
    const profile = loadClientConfigProfile({overrideEnvVars: Object.fromEntries(set)});
    const config = toClientOptions(profile);
    checkPair(profile);
    checkCertificates(config);
    return config;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new FreshetError('invalid_configuration', `Temporal's own configuration is wrong: ${message}`, {cause});
  }
}

/** Temporal's own reader passes over a half. */
function checkPair({tls}: ClientConfigProfile): void {
  if ((tls?.clientCert === undefined) === (tls?.clientKey === undefined)) return;
  const [given, missing] = tls?.clientKey === undefined ? ['certificate', 'key'] : ['key', 'certificate'];
  throw new Error(
    `a client ${given} without its ${missing}: TEMPORAL_TLS_CLIENT_CERT_PATH goes with TEMPORAL_TLS_CLIENT_KEY_PATH.`,
  );
}

/** A worker would wait for a server that these will never reach. */
function checkCertificates({connectionOptions: {tls}}: ClientConnectConfig): void {
  if (typeof tls !== 'object' || tls === null) return;
  const {clientCertPair, serverRootCACertificate} = tls;
  tell('the client certificate or its key', () => {
    if (clientCertPair) createSecureContext({cert: text(clientCertPair.crt), key: text(clientCertPair.key)});
  });
  tell("the certificate of the server's authority", () => {
    if (serverRootCACertificate) new X509Certificate(serverRootCACertificate);
  });
}

function tell(what: string, check: () => void): void {
  try {
    check();
  } catch (cause) {
    throw new Error(`${what} can't be used: ${cause instanceof Error ? cause.message : String(cause)}`, {cause});
  }
}

function text(pem: Uint8Array): string {
  return Buffer.from(pem).toString();
}
