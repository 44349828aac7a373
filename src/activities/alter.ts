import {isDeepStrictEqual} from 'node:util';
import {parseStatement} from '../definition/parse.ts';
import {FreshetError} from '../errors.ts';
import {currentSnapshot} from '../lake/catalog.ts';
import {changeOptions} from '../lake/redefinition.ts';
import {readStanding, type Published} from '../lake/state.ts';
import {tableNameText} from '../table-name.ts';
import type {AlterInput, AlterResult} from '../workflows/messages.ts';
import {boundAt} from './bound-at.ts';
import {findTables} from './choose-version.ts';
import type {Deps} from './deps.ts';
import {judge} from './judge.ts';
import type {RefreshContext} from './look-up-snapshots.ts';
import {repairDefinition, repairPublication} from './repair.ts';
import {tableNamed, versionsOf} from './versions.ts';

/**
 * Carries out ALTER DYNAMIC TABLE … SET. The lake comes first, in one transaction: from then on the new options hold. What Temporal and
 * the metadata know of them follows, here or, when this is cut off, by the next statement or refresh.
 */
export async function alterTable(
  deps: Deps & Pick<RefreshContext, 'signal'>,
  {statement}: AlterInput,
): Promise<AlterResult> {
  const {lake, signal} = deps;
  const {table: name, change} = readAlter(statement);
  const {table: row} = await findTables(deps, {table: tableNameText(name), trigger: 'manual'});
  const before = await standing(deps, row.name);
  // The commit of its last refresh is known by the state row, which is written anew.
  await repairPublication(deps, row.name, before);
  const definition = {...before.definition, options: {...before.definition.options, ...change.options}};
  if (change.options.refreshMode !== undefined) {
    const {id: dataVersion} = await lake.look(currentSnapshot, signal);
    judge(definition, (await boundAt(lake, definition, versionsOf({dataVersion, upstreams: {}}), signal)).bound);
  }
  const outcome = isDeepStrictEqual(row.definition, definition) ? 'unchanged' : 'altered';
  await lake.look((session) => changeOptions(session, before.table, definition), signal);
  const after = await standing(deps, row.name);
  await repairPublication(deps, row.name, after);
  const {mode, reasons} = await repairDefinition(deps, row, after);
  return {table: row.name, outcome, mode, reasons};
}

function readAlter(statement: string) {
  const parsed = parseStatement(statement);
  if (parsed.kind === 'alter' && parsed.change.kind === 'set') return {table: parsed.table, change: parsed.change};
  throw new FreshetError('syntax', 'This is no ALTER DYNAMIC TABLE … SET statement.');
}

async function standing({lake}: Pick<Deps, 'lake'>, name: string): Promise<Published> {
  const state = await lake.look((session) => readStanding(session, tableNamed(name)));
  if (state !== null) return state;
  throw new FreshetError('unknown_dynamic_table', `The lake has nothing of ${name} any more.`, {
    hint: `Drop it: DROP DYNAMIC TABLE ${name}`,
  });
}
