import {defaultSettings} from '../definition/definition.ts';
import {FreshetError} from '../errors.ts';
import {currentSnapshot} from '../lake/catalog.ts';
import {keptIn, type FingerprintedGroups} from '../lake/fingerprint.ts';
import {dropGroups, groupsAmiss, ownStandings} from '../lake/groups.ts';
import {damageOf, filesOf, forgetDeadStates, isTidy, tidy} from '../lake/maintenance.ts';
import {isReadable} from '../lake/publication.ts';
import type {Session} from '../lake/session.ts';
import {groupsTable, readStanding, type Published} from '../lake/state.ts';
import {closeToCompaction} from '../lake/table-options.ts';
import type {Maintained} from '../workflows/messages.ts';
import type {RefreshContext} from './look-up-snapshots.ts';
import {tableNamed} from './versions.ts';

/** Callers hold the table's lock: they are its one open apply. Safe to run twice: what is tidy is left as it is. */
export async function maintainTable(
  {lake, signal}: RefreshContext,
  input: {readonly table: string},
): Promise<Maintained> {
  const table = tableNamed(input.table);
  return await lake.compute(
    defaultSettings,
    async (session) => {
      const state = await readStanding(session, table);
      if (state === null) throw new FreshetError('unknown_dynamic_table', `There is no dynamic table ${input.table}.`);
      const before = await filesOf(session, table);
      // Neither can be tidied nor counted. The rebuild will say that its files are gone.
      if (!(await isReadable(session, table))) return {before, after: before, damage: {expected: state.rows, found: 0}};
      const kept = keptIn(state.fingerprint);
      if (kept !== null && !(await areGroupsWhole(session, state, kept)))
        return {before, after: before, damage: {expected: kept.rows, found: 0}};
      // What nothing is merged into any more only takes room.
      if (kept === null) await dropGroups(session, table);
      // What is kept of its groups is written as often, and tidied with it.
      for (const own of kept === null ? [table] : [table, groupsTable(table)]) {
        // An attempt that died may have tidied it, and have left it open to the maintenance of others.
        await (isTidy(await filesOf(session, own)) ? closeToCompaction(session, own) : tidy(session, own));
      }
      await forgetDeadStates(session, table);
      return {before, after: await filesOf(session, table), damage: await damageOf(session, table)};
    },
    signal,
  );
}

async function areGroupsWhole(session: Session, state: Published, kept: FingerprintedGroups): Promise<boolean> {
  const {id} = await currentSnapshot(session);
  const {groups} = await ownStandings(session, state, id);
  const amiss = groupsAmiss(state, kept, groups);
  return amiss?.kind !== 'groups-lost' && (await isReadable(session, groupsTable(state.table)));
}
