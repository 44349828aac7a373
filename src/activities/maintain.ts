import {defaultSettings} from '../definition/definition.ts';
import {FreshetError} from '../errors.ts';
import {damageOf, filesOf, forgetDeadStates, isTidy, tidy} from '../lake/maintenance.ts';
import {isReadable} from '../lake/publication.ts';
import {groupsTable, readStanding} from '../lake/state.ts';
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
      // What is kept of its groups is written as often, and tidied with it.
      for (const own of state.fingerprint?.groups ? [table, groupsTable(table)] : [table]) {
        // An attempt that died may have tidied it, and have left it open to the maintenance of others.
        await (isTidy(await filesOf(session, own)) ? closeToCompaction(session, own) : tidy(session, own));
      }
      await forgetDeadStates(session, table);
      return {before, after: await filesOf(session, table), damage: await damageOf(session, table)};
    },
    signal,
  );
}
