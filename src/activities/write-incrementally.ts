import {assert} from '../assert.ts';
import type {Merge, Program, Root} from '../delta/program.ts';
import type {Session} from '../lake/session.ts';
import {readStaged} from '../lake/staging.ts';
import {rootStatements} from '../refresh/apply.ts';
import {impossibleGroups, ofGroups, rowsOfLost} from '../refresh/merge.ts';
import type {Extraction, Published} from '../refresh/messages.ts';
import {columnName} from '../relation/print.ts';
import {columnsOfRelation} from '../relation/relation.ts';
import type {Staged} from '../relation/relation.ts';
import {identifier, raw, sql} from '../sql.ts';
import {tableNameText} from '../table-name.ts';
import {programOf} from './extract-changes.ts';
import {Facts, lakeNames} from './names.ts';
import {fillingOf} from './fill-groups.ts';
import {keptGroups, mergesOf} from './groups.ts';
import {carryOut, countRows, GiveUp, runAll, writeRows} from './publication-work.ts';
import type {Work, Writing, Wrote} from './publication-work.ts';

/** Applies what was staged: the root of the program is computed and written in the publishing transaction. */
export async function writeIncrementally(work: Work, folder: string): Promise<Published> {
  const {session, state, lookUp, extraction, boundAt, target, hidden} = work;
  const {reading} = boundAt.bound;
  assert(
    extraction.kind === 'staged' && reading.kind === 'relation',
    'only a trusted extraction of a relation is incremental',
  );
  const merges = mergesOf(state, hidden);
  const program = programOf(reading.relation, extraction.sources, merges);
  const facts = new Facts();
  await loadStaged(session, program, extraction, folder, facts);
  const kept = keptGroups(state, hidden);
  const filling = kept === null ? await fillingOf(work) : null;
  const write: Writing['write'] = async () => {
    await checkTarget(work);
    const before = {deleted: 0, inserted: 0, rows: lookUp.rows, groups: state.fingerprint?.groups};
    if (isUntouched(program, facts)) return before;
    await runAll(session, rootStatements(program, target, lakeNames(lookUp, facts), hidden));
    const {deleted, inserted} = await writeRows(work, target, program.root.kind);
    const written = {deleted, inserted, rows: lookUp.rows - deleted + inserted};
    if (filling !== null && program.root.kind !== 'merge')
      return {...written, groups: await filling.fill(written.rows)};
    assert(program.root.kind === 'merge', 'where groups are kept a change is merged');
    return await writeGroups(work, program.root, written);
  };
  return await carryOut(work, {
    action: 'INCREMENTAL',
    recomputed: program.recomputed,
    fence: lookUp.fence,
    into: state.table,
    writesGroups: kept !== null || filling?.writesGroups === true,
    write,
  });
}

/** What is kept of the groups beside the target, as it is after the change; and the nets under it. */
async function writeGroups(work: Work, root: Merge, rowsWritten: Omit<Wrote, 'groups'>): Promise<Wrote> {
  const {session, hidden} = work;
  const {lost} = root;
  const impossible = await countRows(session, sql`(${impossibleGroups(root)}) AS impossible`);
  if (impossible > 0) throw new GiveUp({kind: 'full-instead', reason: {kind: 'row-missing', rows: impossible}});
  const isRead = lost !== null && (await countRows(session, identifier(lost.keys.name))) > 0;
  const written = {...rowsWritten, groups: undefined};
  const merged = isRead ? {...written, ...(await readAnew(session, root))} : written;
  const kept = keptGroups(work.state, hidden);
  if (root.stored !== null || hidden === null || kept === null) return merged;
  const {deleted, inserted} = await writeRows(work, hidden, 'merge', ofGroups);
  const rows = kept.rows - deleted + inserted;
  if (root.showsAll && rows !== written.rows) throw new GiveUp(miscounted(rows, written.rows));
  return {...merged, groups: {...kept, rows}};
}

async function readAnew(session: Session, root: Merge): Promise<Pick<Wrote, 'recomputed' | 'rowsReadAnew'>> {
  const rows = rowsOfLost(root);
  if (rows === null) return {recomputed: 'all'};
  const [sum] = await session.rows<{rows: number}>(rows);
  return {recomputed: 'keys', rowsReadAnew: sum?.rows ?? 0};
}

async function loadStaged(
  session: Session,
  program: Program,
  extraction: Extraction & {kind: 'staged'},
  folder: string,
  facts: Facts,
): Promise<void> {
  for (const {source, name} of program.changes) {
    const file = extraction.sources.find((staged) => staged.source === tableNameText(source))?.file;
    assert(file, 'every change of the program was staged');
    await readStaged(session, folder, file, name);
  }
  for (const {name, relation} of program.steps) {
    const file = extraction.keys.find((staged) => staged.name === name)?.file;
    assert(file, 'every step of the program was staged');
    await readStaged(session, folder, file, name);
    await facts.learn(session, name, columnsOfRelation(relation).map(columnName));
  }
}

/** The target must hold what we left, and so must its groups: a change of anything else gives wrong rows. */
async function checkTarget({session, state, target, hidden, lookUp}: Work): Promise<void> {
  const kept = keptGroups(state, hidden);
  const groups = kept === null || hidden === null ? null : hidden.table;
  const [found] = await session.rows<{rows: number; groups: number | null}>(
    sql`SELECT (SELECT count(*) FROM ${target.table}) AS "rows",
  ${groups === null ? raw('NULL') : sql`(SELECT count(*) FROM ${groups})`} AS groups`,
    groups === null ? 'count the table' : 'count the table and its groups',
  );
  assert(found, 'a SELECT of counts has one row');
  if (found.rows !== lookUp.rows) throw new GiveUp(miscounted(lookUp.rows, found.rows));
  if (kept !== null && found.groups !== null && found.groups !== kept.rows)
    throw new GiveUp(miscounted(kept.rows, found.groups));
}

function miscounted(expected: number, found: number): Published {
  return {kind: 'full-instead', reason: {kind: 'target-count-mismatch', expected, found}};
}

/** Whether nothing that changed reaches the result. */
function isUntouched({root}: Program, facts: Facts): boolean {
  const gate = gateOf(root);
  return gate === null ? root.kind === 'unchanged' : facts.rowsOf(gate.name) === 0;
}

/** What is staged and empty when nothing reaches the result. */
export function gateOf(root: Root): Staged | null {
  switch (root.kind) {
    case 'keys':
      return root.keys;
    case 'merge':
      return root.change;
    case 'whole':
      return root.below;
    default:
      return null;
  }
}
