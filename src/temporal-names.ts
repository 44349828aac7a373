/**
 * Every id and queue that Temporal knows us by, one function each. `table` is its `tableNameText`, so that two tables never
 * share an id. `prefix` keeps several lakes in one namespace apart.
 */

/** Workflows, and activities that are short. */
export function taskQueue(prefix: string): string {
  return `${prefix}freshet`;
}

/** Activities that run DuckDB for long; their concurrency is the back-pressure. `queue` is that of the workflows. */
export function computeTaskQueue(queue: string): string {
  return `${queue}-compute`;
}

/** The schedule of a table, and the ids of the runs that it starts (the server appends their time). */
export function scheduleId(prefix: string, table: string): string {
  return `${prefix}dynamic-table:${short(table)}`;
}

/** A refresh that somebody asked for. */
export function manualRefreshId(prefix: string, table: string, unique: string): string {
  return `${scheduleId(prefix, table)}/manual-${unique}`;
}

/** The one apply that a table may have open: the lock. */
export function applyId(prefix: string, table: string): string {
  return `${scheduleId(prefix, table)}/apply`;
}

/** The one maintenance of a table that a refresh has started. */
export function maintenanceId(prefix: string, table: string): string {
  return `${scheduleId(prefix, table)}/maintain`;
}

/** The one statement at a time that creates, alters or drops a table. */
export function definitionId(prefix: string, table: string): string {
  return `${scheduleId(prefix, table)}/define`;
}

/** An alert about a table; `occasion` is the same however often it is raised for one cause. */
export function alertId(prefix: string, table: string, occasion: string): string {
  return `${scheduleId(prefix, table)}/alert/${occasion}`;
}

/** A question about a table or a statement: explain, verify. */
export function questionId(prefix: string, subject: string, unique: string): string {
  return `${prefix}dynamic-table:${short(subject)}/${unique}`;
}

/** The Web UI can't show schedules with names of more than 232 characters. */
const longest = 150;

function short(table: string): string {
  return table.length <= longest ? table : `${table.slice(0, longest)}#${fingerprint(table)}`;
}

/** FNV-1a, 128 bits: workflow code has no `crypto`. */
function fingerprint(text: string): string {
  let hash = 0x6c62272e07bb014262b821756295c58dn;
  for (const character of text) {
    hash ^= BigInt(character.codePointAt(0) ?? 0);
    hash = BigInt.asUintN(128, hash * 0x0000000001000000000000000000013bn);
  }
  return hash.toString(16).padStart(32, '0');
}
