import {randomUUID} from 'node:crypto';
import type {Bound} from '../binder/bound.ts';
import {roundTrip} from '../binder/round-trip.ts';
import type {Definition} from '../definition/definition.ts';
import type {Query} from '../definition/statement.ts';
import {currentSnapshot} from '../lake/catalog.ts';
import type {Lake} from '../lake/lake.ts';
import {createState} from '../lake/state.ts';
import type {StoredDefinition} from '../lake/state.ts';
import {createTarget} from '../lake/target.ts';
import {bindAt} from './bound-at.ts';
import {versionsOf} from './versions.ts';
import type {Binding, BoundAt} from './bound-at.ts';

/** A definition that was bound at the newest snapshot, and what it will be stored as. */
export type Defined = {readonly definition: StoredDefinition; readonly boundAt: BoundAt};

/** Binds a new definition and tries our reading of it. Throws what is wrong with it, at its place in the user's statement. */
export async function define(
  lake: Lake,
  given: Definition,
  query: Query,
  {signal, assumed}: Pick<Binding, 'signal' | 'assumed'> = {},
): Promise<Defined> {
  const {id: dataVersion} = await lake.look(currentSnapshot, signal);
  const versions = versionsOf({dataVersion, upstreams: {}});
  const unbound = {...given, reached: [], distrust: null};
  const boundAt = await bindAt(lake, unbound, query, versions, {signal, assumed, check: roundTrip});
  const reached = boundAt.reached.tables.map(({table, columns}) => ({table, columns: columns.map(({name}) => name)}));
  return {definition: {...given, reached, distrust: distrustIn(boundAt.bound.reading)}, boundAt};
}

function distrustIn(reading: Bound['reading']): string | null {
  const reasons = reading.kind === 'full' ? reading.reasons : [];
  return reasons.find((reason) => reason.kind === 'round-trip')?.detail ?? null;
}

/** Makes the target and its state row, both empty: the first refresh fills them. */
export async function makeTable(lake: Lake, {definition, boundAt}: Defined, incarnation = randomUUID()): Promise<void> {
  const {table, options} = definition;
  const columns = boundAt.bound.outputs.map(({name, storedType}) => ({name, type: storedType}));
  await lake.look(async (session) => {
    await createTarget(session, {table, columns, comment: options.comment});
    await createState(session, table, {
      incarnation,
      generation: 0,
      contents: 0,
      dataVersion: null,
      refreshId: null,
      rows: 0,
      definition,
      fingerprint: null,
      sources: [],
    });
  });
}
