import {randomUUID} from 'node:crypto';
import {checkCardinality} from '../../src/activities/check-cardinality.ts';
import {define, makeTable} from '../../src/activities/define.ts';
import {extractChanges} from '../../src/activities/extract-changes.ts';
import {lookUpSnapshots} from '../../src/activities/look-up-snapshots.ts';
import {publishRefresh} from '../../src/activities/publish-refresh.ts';
import {defaultSettings} from '../../src/definition/definition.ts';
import type {Options} from '../../src/definition/definition.ts';
import {bareQuery} from '../../src/definition/statement.ts';
import {reasonText} from '../../src/delta/reason.ts';
import type {Lake} from '../../src/lake/lake.ts';
import type {Action} from '../../src/refresh/action.ts';
import type {ApplyInput, Publication, Published} from '../../src/refresh/messages.ts';
import {tableNameText} from '../../src/table-name.ts';
import type {TestLake} from './lake.ts';

export type Done = {
  readonly action: Action | 'CURRENT';
  readonly reason: string | null;
  readonly published: (Published & {kind: 'published'}) | null;
};

/** A dynamic table without Temporal: made, refreshed, and compared with its query. */
export type TestTable = {
  readonly name: string;
  readonly apply: (given?: Partial<ApplyInput>) => Promise<ApplyInput>;
  readonly refresh: (given?: Partial<ApplyInput>) => Promise<Done>;
  readonly publication: () => Publication;
  /** Rows that the table and its query, run afresh, do not have in common. */
  readonly differences: () => Promise<unknown[][]>;
};

export const standardOptions: Options = {
  targetLag: {kind: 'seconds', seconds: 60},
  refreshMode: 'AUTO',
  initialize: 'ON_CREATE',
  cardinalityThreshold: 1e9,
  comment: null,
};

export async function aDynamicTable(
  test: TestLake,
  name: string,
  query: string,
  given: Partial<Options> = {},
): Promise<TestTable> {
  const {lake} = test;
  const table = {schema: 'main', name};
  const definition = {table, query, options: {...standardOptions, ...given}, settings: defaultSettings};
  await makeTable(lake, await define(lake, definition, bareQuery(query)));
  let last: Publication | null = null;

  const apply = async (input: Partial<ApplyInput> = {}): Promise<ApplyInput> => ({
    table: tableNameText(table),
    dataVersion: await test.snapshot(),
    upstreams: {},
    full: false,
    hasReaders: false,
    trigger: 'manual',
    ...input,
  });

  async function refresh(input: Partial<ApplyInput> = {}): Promise<Done> {
    const applied = await apply(input);
    const refreshId = randomUUID();
    let instead: (Published & {kind: 'full-instead'}) | null = null;
    for (let round = 0; round < 5; round++) {
      const found = await lookUpSnapshots({lake}, {apply: applied});
      if (found.kind === 'ahead') throw new Error('ahead');
      if (found.kind === 'current') return {action: 'CURRENT', reason: null, published: null};
      const lookUp = instead === null ? found : {...found, forced: {action: 'FULL' as const, reason: instead.reason}};
      const extraction = await extractChanges({lake}, {apply: applied, refreshId, lookUp});
      const decision = await checkCardinality({lookUp, extraction});
      const published = await publishRefresh({lake}, {apply: applied, refreshId, lookUp, extraction, decision});
      if (published.kind === 'published') {
        last = published.publication;
        const {action, reason} = published.summary;
        return {action, reason: reason && reasonText(reason), published};
      }
      if (published.kind === 'full-instead') instead = published;
    }
    throw new Error('no end of rounds');
  }

  return {
    name,
    apply,
    refresh,
    publication: () => {
      if (last === null) throw new Error('not refreshed yet');
      return last;
    },
    differences: () =>
      test.rows(`(FROM "${name}" EXCEPT ALL (${query})) UNION ALL ((${query}) EXCEPT ALL FROM "${name}")`),
  };
}

/** A refresh up to its publication, which can then be done any number of times. */
export async function prepared(
  {lake}: TestLake,
  totals: TestTable,
  publisher: Lake = lake,
): Promise<() => Promise<Published>> {
  const apply = await totals.apply();
  const refreshId = randomUUID();
  const lookUp = await lookUpSnapshots({lake}, {apply});
  if (lookUp.kind !== 'refresh') throw new Error(lookUp.kind);
  const extraction = await extractChanges({lake}, {apply, refreshId, lookUp});
  const decision = await checkCardinality({lookUp, extraction});
  return () => publishRefresh({lake: publisher}, {apply, refreshId, lookUp, extraction, decision});
}
