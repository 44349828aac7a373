/**
 * Where a lake's catalog is: what ATTACH takes, and how to keep its password out of every text that leaves. Accepted are
 * `ducklake:postgres:host=… dbname=…`, `postgres:…`, `postgresql://…` and `postgres://…`.
 */
export type CatalogUrl = {
  readonly attach: string;
  /** The database that the catalog is in. */
  readonly postgres: string;
  readonly scrub: (text: string) => string;
};

export function readCatalogUrl(catalog: string): CatalogUrl | null {
  const connection = /^(?:ducklake:)?(?:postgres:)?((?:postgres(?:ql)?:\/\/|\w+\s*=).*)$/s.exec(catalog.trim())?.[1];
  if (connection === undefined) return null;
  const postgres = withKeepalives(connection);
  return {attach: `ducklake:postgres:${postgres}`, postgres, scrub: scrubber(connection)};
}

/** A server whose machine or network is gone breaks the connection within two minutes, not after two hours, unless the user says otherwise. */
const keepalives = {connect_timeout: 15, keepalives_idle: 60, keepalives_interval: 10, keepalives_count: 6};

function withKeepalives(connection: string): string {
  const missing = Object.entries(keepalives).filter(([name]) => !connection.includes(`${name}=`));
  const [first, next] = connection.includes('://') ? [connection.includes('?') ? '&' : '?', '&'] : [' ', ' '];
  return connection + missing.map(([name, value], i) => `${i === 0 ? first : next}${name}=${value}`).join('');
}

const hidden = '***';

/** Takes out the connection string, whole and as a part of a longer one, and the password wherever it stands as a word. */
function scrubber(connection: string): (text: string) => string {
  const secrets = spellings(passwordOf(connection)).map(
    (secret) => new RegExp(`(?<![\\w])${escape(secret)}(?![\\w])`, 'g'),
  );
  return (text) =>
    secrets.reduce(
      (clean, secret) => clean.replace(secret, hidden),
      text
        .replaceAll(connection, '<catalog>')
        .replaceAll(connection.replaceAll("'", "''"), '<catalog>')
        .replace(/password\s*=\s*('(?:[^'\\]|\\.|'')*'|[^\s"]+)/gi, `password=${hidden}`)
        .replace(/(postgres(?:ql)?:\/\/[^\s:@/]*):[^\s@]*@/gi, `$1:${hidden}@`),
    );
}

function passwordOf(connection: string): string {
  if (URL.canParse(connection)) {
    const url = new URL(connection);
    return decodeURIComponent(url.password) || (url.searchParams.get('password') ?? '');
  }
  const value = /(?:^|\s)password\s*=\s*('(?:[^'\\]|\\.)*'|\S+)/i.exec(connection)?.[1] ?? '';
  return value.startsWith("'") ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value;
}

function spellings(password: string): string[] {
  if (password === '') return [];
  return [...new Set([password, encodeURIComponent(password), password.replaceAll("'", "''")])];
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
