/**
 * Where a lake's catalog is: what ATTACH takes, and how to keep its password out of every text that leaves. Accepted are
 * `ducklake:postgres:host=… dbname=…`, `postgres:…`, `postgresql://…` and `postgres://…`.
 */
export type CatalogUrl = {readonly attach: string; readonly scrub: (text: string) => string};

export function readCatalogUrl(catalog: string): CatalogUrl | null {
  const connection = /^(?:ducklake:)?(?:postgres:)?((?:postgres(?:ql)?:\/\/|\w+\s*=).*)$/s.exec(catalog.trim())?.[1];
  if (connection === undefined) return null;
  return {attach: `ducklake:postgres:${connection}`, scrub: scrubber(connection)};
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
