import type {Freshet} from '../src/cli/connect.ts';
import type {FreshetClient} from '../src/client.ts';
import type {HistoryEntry} from '../src/metadata/refresh.ts';
import type {Change} from './changes.ts';
import {recomputeMs} from './recomputation.ts';
import type {Outcome} from './report.ts';
import {tables, type DemoTable} from './tables.ts';

/** Does the change, refreshes every table, and looks at what each refresh was and whether the table is right. */
export async function play({client, plainSql}: Freshet, change: Change): Promise<readonly Outcome[]> {
  const [freshet, sql] = [await client(), await plainSql()];
  const before = await newestRefreshes(freshet);
  await sql.run(change.statement, 'text', 1);
  // What is DOWNSTREAM is refreshed by those that read it.
  for (const {name} of tables.filter((table) => !isDownstream(table))) await (await freshet.refresh(name)).result();
  const outcomes: Outcome[] = [];
  for (const table of tables) {
    outcomes.push({
      table: table.name,
      refresh: await refreshSince(freshet, table, before.get(table.name) ?? 0),
      recomputeMs: await recomputeMs(sql, table),
      isEqual: (await freshet.verify(table.name)).verdict === 'equal',
    });
  }
  return outcomes;
}

function isDownstream({statement}: DemoTable): boolean {
  return statement.includes('TARGET_LAG = DOWNSTREAM');
}

/** The id of the newest refresh of each table. */
async function newestRefreshes(client: FreshetClient): Promise<ReadonlyMap<string, number>> {
  const ids = tables.map(async ({name}) => [name, (await client.history(name, {limit: 1}))[0]?.id ?? 0] as const);
  return new Map(await Promise.all(ids));
}

/** The refresh that did the work: one that found nothing to do after another had done it says nothing. */
async function refreshSince(client: FreshetClient, {name}: DemoTable, id: number): Promise<HistoryEntry> {
  const entries = await client.history(name, {limit: 10});
  const since = entries.filter((entry) => entry.id > id);
  const found = since.find((entry) => entry.action !== 'NO_DATA') ?? since[0] ?? entries[0];
  if (found === undefined) throw new Error(`${name} has no history.`);
  return found;
}
