import {isDeepStrictEqual} from 'node:util';
import {FreshetError} from '../errors.ts';
import {identifier, literal, sql} from '../sql.ts';
import {tableNameText, type TableName} from '../table-name.ts';
import {inLake, lakeAlias} from './alias.ts';
import {currentSnapshot, tableAt} from './catalog.ts';
import {isTargetChanged, keptIn} from './fingerprint.ts';
import {groupsAmiss, ownStandings} from './groups.ts';
import type {Session} from './session.ts';
import {
  fencedUpdate,
  groupsTable,
  moveState,
  ownState,
  readState,
  type Published,
  type StateRow,
  type StoredDefinition,
} from './state.ts';
import {protect} from './table-options.ts';
import {lastByOthers, refuseTaken} from './target.ts';

/** Puts other options down with the contents, which stay what they are. Where they stand already nothing is written. */
export async function changeOptions(session: Session, table: TableName, definition: StoredDefinition): Promise<void> {
  await redefine(session, table, definition, 'ALTER', (state) => carriedOn(session, state));
}

/**
 * Puts another query down. What the contents were made under is forgotten, so that the next refresh begins anew; until then they stay
 * what they are.
 */
export async function changeQuery(session: Session, table: TableName, definition: StoredDefinition): Promise<void> {
  await redefine(session, table, definition, 'REPLACE', begunAnew);
}

/** Puts the former query back, unless a refresh has published under the new one. The next one computes the contents again. */
export async function restoreQuery(
  session: Session,
  table: TableName,
  {former, failed}: {readonly former: StoredDefinition; readonly failed: StoredDefinition},
): Promise<void> {
  await redefine(session, table, former, 'REPLACE undone', (state) =>
    state.fingerprint === null && isDeepStrictEqual(state.definition, failed) ? begunAnew(state) : null,
  );
}

function begunAnew(state: Published): StateRow {
  return {...state, fingerprint: null, sources: []};
}

/** One transaction behind the fence: a refresh that is at work looks again. `next` answers null where all is to stay. */
async function redefine(
  session: Session,
  table: TableName,
  definition: StoredDefinition,
  what: string,
  next: (state: Published) => StateRow | null | Promise<StateRow | null>,
): Promise<void> {
  await protect(session, [ownState(table)]);
  await session.transaction(async () => {
    const state = await readState(session, table);
    if (state === null)
      throw new FreshetError('unknown_dynamic_table', `There is no dynamic table ${tableNameText(table)}.`);
    if (isDeepStrictEqual(state.definition, definition)) return;
    const written = await next(state);
    if (written === null) return;
    await fencedUpdate(session, table, state, {...written, definition});
    const {comment} = definition.options;
    const {id} = await currentSnapshot(session);
    if (comment !== state.definition.options.comment && (await tableAt(session, table, id)) !== null)
      await session.run(sql`COMMENT ON TABLE ${inLake(table)} IS ${literal(comment)}`);
    await say(session, table, `${what} of ${tableNameText(table)}`);
  });
}

/**
 * Gives a table another name: target, state row and what is kept of its groups, in one transaction behind the fence. A refresh that is
 * at work finds that there is no table of the old name.
 */
export async function renameTable(session: Session, from: TableName, to: TableName): Promise<void> {
  await refuseTaken(session, to);
  await moveState(session, from, to, async (state) => {
    const next = await carriedOn(session, state);
    const {id} = await currentSnapshot(session);
    for (const [old, name] of [
      [from, to],
      [groupsTable(from), groupsTable(to)],
    ] as const) {
      if ((await tableAt(session, old, id)) !== null)
        await session.run(sql`ALTER TABLE ${inLake(old)} RENAME TO ${identifier(name.name)}`);
    }
    await say(session, to, `RENAME of ${tableNameText(from)}`);
    return {...next, definition: {...state.definition, table: to}};
  });
}

/**
 * The state as it goes on from this transaction: what others may write into the target from here on is not accounted for. When they
 * have done so before, it stays the next refresh's to find out.
 */
async function carriedOn(session: Session, state: Published): Promise<StateRow> {
  const {fingerprint} = state;
  if (fingerprint?.target === undefined) return state;
  const {id: asOf} = await currentSnapshot(session);
  if (!(await isAsLeft(session, state, asOf))) return {...state, sources: []};
  return {...state, fingerprint: {...fingerprint, target: {...fingerprint.target, asOf}}};
}

/** Whether nobody but us has written or altered the target, or what is kept of its groups. */
async function isAsLeft(session: Session, state: Published, asOf: number): Promise<boolean> {
  const {target, groups} = await ownStandings(session, state, asOf);
  if (target.there === null || isTargetChanged(state.fingerprint?.target, target.there)) return false;
  if (lastByOthers(state, target.history) !== null) return false;
  const kept = keptIn(state.fingerprint);
  return kept === null || groupsAmiss(state, kept, groups) === null;
}

/** For people who look at the lake's snapshots, and for a repair that has to tell this commit from a refresh. */
async function say(session: Session, table: TableName, statement: string): Promise<void> {
  const extra = JSON.stringify({table: tableNameText(table), statement});
  await session.run(
    sql`CALL ${identifier(lakeAlias)}.set_commit_message('freshet', ${literal(statement)}, extra_info => ${literal(extra)})`,
  );
}
