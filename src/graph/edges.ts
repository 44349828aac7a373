/** Which dynamic table reads which. Pure; a source that is no dynamic table is a base table. */

export type Node = {readonly name: string; readonly sources: readonly string[]};

/** The dynamic tables that `name` reads directly. */
export function upstreamsOf(name: string, nodes: readonly Node[]): readonly string[] {
  const known = new Set(nodes.map((node) => node.name));
  return sourcesOf(name, nodes).filter((source) => known.has(source));
}

/** The dynamic tables that read `name` directly. */
export function readersOf(name: string, nodes: readonly Node[]): readonly string[] {
  return nodes.filter((node) => node.sources.includes(name)).map((node) => node.name);
}

/** All dynamic tables below `name`, each once and after those that it reads itself. */
export function transitiveUpstreamsOf(name: string, nodes: readonly Node[]): readonly string[] {
  const order: string[] = [];
  const seen = new Set([name]);
  const visit = (upstream: string): void => {
    if (seen.has(upstream)) return;
    seen.add(upstream);
    upstreamsOf(upstream, nodes).forEach(visit);
    order.push(upstream);
  };
  upstreamsOf(name, nodes).forEach(visit);
  return order;
}

/** All dynamic tables that read `name`, directly or not, each once. */
export function transitiveReadersOf(name: string, nodes: readonly Node[]): readonly string[] {
  const found = new Set<string>();
  const visit = (reader: string): void => {
    if (found.has(reader)) return;
    found.add(reader);
    readersOf(reader, nodes).forEach(visit);
  };
  readersOf(name, nodes).forEach(visit);
  return [...found];
}

/** The way from `name` back to itself if it were to read `sources`: `a, b, a`; null when there is none. */
export function cyclePath(name: string, sources: readonly string[], nodes: readonly Node[]): readonly string[] | null {
  const dead = new Set<string>();
  const wayFrom = (from: string): readonly string[] | null => {
    if (from === name) return [name];
    if (dead.has(from)) return null;
    dead.add(from);
    for (const source of sourcesOf(from, nodes)) {
      const way = wayFrom(source);
      if (way !== null) return [from, ...way];
    }
    return null;
  };
  for (const source of sources) {
    const way = wayFrom(source);
    if (way !== null) return [name, ...way];
  }
  return null;
}

function sourcesOf(name: string, nodes: readonly Node[]): readonly string[] {
  return nodes.find((node) => node.name === name)?.sources ?? [];
}
