import type {Site} from '../activities/activities.ts';
import {failOnce} from './fail-once.ts';
import type {Maintained} from './messages.ts';
import {compute} from './proxies.ts';
import {collectWaiters, passOn, type Waiter} from './waiting.ts';

/** What was done, and who has waited for it: its parent tells them once this run is closed. */
export type MaintenanceApplied = Maintained & {readonly waiters: readonly Waiter[]};

/**
 * The maintenance itself. Its workflow id is that of the table's applies, of which at most one is open: no refresh writes the table
 * beside it, and those that want to wait for it as for another refresh.
 */
export async function applyMaintenance({
  table,
  site,
}: {
  readonly table: string;
  readonly site: Site;
}): Promise<MaintenanceApplied> {
  const waiters = collectWaiters();
  const maintained = await failOnce(
    () => compute(site).maintainTable.executeWithOptions({summary: `few files of many: ${table}`}, [{table}]),
    // That the files stay many is no failure of those who wait to refresh.
    () => passOn(waiters, null),
  );
  return {...maintained, waiters};
}
