import {targetLagText} from '../definition/target-lag.ts';
import {markLagKept, markLagMissed, type TableRow} from '../metadata/dynamic-table.ts';
import {alertId} from '../temporal-names.ts';
import type {Deps} from './deps.ts';

/**
 * Looks, as a scheduled run begins, whether the contents are older than was promised; after a suspension, or with another target
 * lag, they may be for as long again. Runs that find them so one after another are one occasion, of which people are told once:
 * there is one of them at least twice per lag.
 */
export async function noticeLag(
  {metadata, alerts, site}: Pick<Deps, 'metadata' | 'alerts' | 'site'>,
  {name, incarnation, definition, freshAt, lagCountedFrom, lagMissedAt}: TableRow,
): Promise<void> {
  const {targetLag} = definition.options;
  if (targetLag.kind === 'downstream' || freshAt === null) return;
  const lagSeconds = secondsSince(freshAt);
  if (Math.min(lagSeconds, secondsSince(lagCountedFrom ?? freshAt)) <= targetLag.seconds) {
    if (lagMissedAt !== null) await markLagKept(metadata, name, incarnation);
    return;
  }
  const since = (await markLagMissed(metadata, name, incarnation)).lagMissedAt;
  if (since === null) return;
  const alert = {
    ...{kind: 'missed_lag' as const, id: alertId(site.prefix, name, `missed-lag-${since}`), table: name, at: since},
    ...{targetLagSeconds: targetLag.seconds, lagSeconds, freshAt},
    message: `${name} is ${lagSeconds} seconds old; its target lag is ${targetLagText(targetLag)}.`,
  };
  // No reason to refresh it even later; the next run that finds it late raises the same alert.
  await alerts.raise(alert).catch(() => undefined);
}

function secondsSince(time: string): number {
  return Math.round((Date.now() - Date.parse(time)) / 1000);
}
