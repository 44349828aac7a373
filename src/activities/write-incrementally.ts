import {assert} from '../assert.ts';
import type {Program} from '../delta/program.ts';
import type {Session} from '../lake/session.ts';
import {readStaged} from '../lake/staging.ts';
import {rootStatements} from '../refresh/apply.ts';
import type {Extraction, Published} from '../refresh/messages.ts';
import {columnName} from '../relation/print.ts';
import {columnsOfRelation} from '../relation/relation.ts';
import {identifier, sql} from '../sql.ts';
import {tableNameText} from '../table-name.ts';
import {programOf} from './extract-changes.ts';
import {Facts, lakeNames} from './names.ts';
import {carryOut, countTarget, GiveUp, writeRows} from './publication-work.ts';
import type {Work, Writing} from './publication-work.ts';

/** Applies what was staged: the root of the program is computed and written in the publishing transaction. */
export async function writeIncrementally(work: Work, folder: string): Promise<Published> {
  const {session, state, lookUp, extraction, boundAt, target} = work;
  const {reading} = boundAt.bound;
  assert(
    extraction.kind === 'staged' && reading.kind === 'relation',
    'only a trusted extraction of a relation is incremental',
  );
  const program = programOf(reading.relation, extraction.sources);
  const facts = new Facts();
  await loadStaged(session, program, extraction, folder, facts);
  const write: Writing['write'] = async () => {
    await checkTarget(work);
    if (await isUntouched(session, program)) return {deleted: 0, inserted: 0, rows: lookUp.rows};
    for (const {label, text} of rootStatements(program, target, lakeNames(lookUp, facts)))
      await session.run(text, label);
    const {deleted, inserted} = await writeRows(work, program.root.kind);
    return {deleted, inserted, rows: lookUp.rows - deleted + inserted};
  };
  return await carryOut(work, {
    action: 'INCREMENTAL',
    recomputed: program.recomputed,
    fence: lookUp.fence,
    into: state.table,
    write,
  });
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

/** The target must hold what we left: a by-row or by-key change of anything else gives wrong rows. */
async function checkTarget(work: Work): Promise<void> {
  const [expected, found] = [work.lookUp.rows, await countTarget(work)];
  if (found !== expected)
    throw new GiveUp({kind: 'full-instead', reason: {kind: 'target-count-mismatch', expected, found}});
}

/** Whether nothing that changed reaches the result. */
async function isUntouched(session: Session, {root}: Program): Promise<boolean> {
  const gate = root.kind === 'keys' ? root.keys : root.kind === 'whole' ? root.below : null;
  if (gate === null) return root.kind === 'unchanged';
  const [row] = await session.rows<{count: number}>(sql`SELECT count(*) AS count FROM ${identifier(gate.name)}`);
  return row?.count === 0;
}
