import {ApplicationFailure} from '@temporalio/common';
import {Context} from '@temporalio/activity';
import type {Activities} from '../../src/activities/activities.ts';
import type {StoredDefinition} from '../../src/lake/state.ts';
import {defaultSettings} from '../../src/definition/definition.ts';
import type {Publication} from '../../src/refresh/messages.ts';
import {upstreamsOf} from '../../src/graph/edges.ts';

/**
 * The activities over a lake that is a few numbers: enough to see what the workflows make of it. It keeps every apply that ran,
 * and how many ran at once.
 */
export type FakeLake = {
  newest: number;
  /** Of tables that have one of their own. */
  readonly priorities: Record<string, number>;
  /** Tables of which scheduled runs are told that they are suspended. */
  readonly suspended: Set<string>;
  readonly applied: {
    readonly table: string;
    readonly dataVersion: number;
    readonly upstreams: Readonly<Record<string, Publication>>;
  }[];
  readonly recorded: string[];
  /** Of statements that define something. */
  readonly steps: string[];
  readonly failures: {readonly table: string; readonly code: string}[];
  mostAtOnce: number;
  /** Called inside of each publish; what it throws is thrown there. */
  onPublish: (table: string, dataVersion: number) => Promise<void>;
  readonly activities: (prefix: string) => Partial<Activities>;
};

export function aFakeLake(sources: Readonly<Record<string, readonly string[]>>): FakeLake {
  const nodes = Object.entries(sources).map(([name, reads]) => ({name, sources: reads}));
  const publications = new Map<string, Publication>();
  const open = new Map<string, string>();
  const atOnce = new Map<string, number>();

  const step = (name: string) => {
    lake.steps.push(name);
    return Promise.resolve();
  };

  const lake: FakeLake = {
    newest: 10,
    priorities: {},
    suspended: new Set(),
    applied: [],
    recorded: [],
    steps: [],
    failures: [],
    mostAtOnce: 0,
    onPublish: () => Promise.resolve(),
    activities: (prefix) => ({
      locate: ({table}) =>
        Promise.resolve({prefix, computeTaskQueue: `${prefix}freshet`, heartbeatSeconds: 10, table, incarnation: 'i'}),
      chooseVersion: ({table, dataVersion, full, trigger}) => {
        if (!nodes.some(({name}) => name === table)) {
          throw ApplicationFailure.nonRetryable(`There is no dynamic table ${table}.`, 'unknown_dynamic_table', {
            hint: 'Did you mean another?',
          });
        }
        const site = {prefix, computeTaskQueue: `${prefix}freshet`, heartbeatSeconds: 10};
        const version = dataVersion ?? lake.newest;
        const priority = lake.priorities[table];
        const publication = publications.get(table);
        const choice = (() => {
          if (trigger === 'schedule' && lake.suspended.has(table)) return {kind: 'suspended' as const, dataVersion: 7};
          if (publication !== undefined && publication.dataVersion > version) {
            return {kind: 'ahead' as const, dataVersion: publication.dataVersion};
          }
          if (publication?.dataVersion === version && !full) {
            return {kind: 'no-data' as const, dataVersion: version, publication};
          }
          return {
            kind: 'refresh' as const,
            dataVersion: version,
            upstreams: upstreamsOf(table, nodes),
            running: open.get(table) ?? null,
            hasReaders: false,
          };
        })();
        return Promise.resolve({
          table,
          choice,
          freshAt: '2026-01-01T00:00:00.000Z',
          site,
          ...(priority === undefined ? {} : {priority}),
        });
      },
      lookUpSnapshots: ({apply, refreshId}) => {
        const {table, dataVersion} = apply;
        open.set(table, refreshId);
        const now = (atOnce.get(table) ?? 0) + 1;
        atOnce.set(table, now);
        lake.mostAtOnce = Math.max(lake.mostAtOnce, now);
        const publication = publications.get(table);
        if (publication !== undefined && publication.dataVersion > dataVersion) {
          return Promise.resolve({kind: 'ahead', dataVersion: publication.dataVersion});
        }
        if (publication?.dataVersion === dataVersion) return Promise.resolve({kind: 'current', publication});
        return Promise.resolve({
          kind: 'refresh',
          dataVersion,
          fence: {incarnation: table, generation: publication?.generation ?? 0},
          contents: publication?.contents ?? 0,
          rows: publication?.rows ?? 0,
          sources: [
            {
              source: 'main.base',
              from: publication?.dataVersion ?? null,
              to: dataVersion,
              toTime: '2026-01-01T00:00:00.000Z',
              rowsFrom: 1,
              isRewritten: false,
              parts: [{first: dataVersion, last: dataVersion, inserts: true, deletes: false}],
              upstream: null,
            },
          ],
          forced: null,
        });
      },
      extractChanges: () =>
        Promise.resolve({
          kind: 'staged',
          sources: [{source: 'main.base', file: 'change.parquet', inserted: 3, deleted: 1, rowsTo: 100}],
          keys: [],
          threshold: 0.3,
          statements: [],
        }),
      checkCardinality: ({lookUp}) =>
        Promise.resolve(
          lookUp.forced === null
            ? {action: 'INCREMENTAL', reason: null, ratio: 0.04, changedRows: 4, affectedKeys: 0}
            : {...lookUp.forced, ratio: null, changedRows: 4, affectedKeys: 0},
        ),
      publishRefresh: async ({apply, lookUp, decision}) => {
        await lake.onPublish(apply.table, apply.dataVersion);
        const publication = {
          snapshot: apply.dataVersion + 1000,
          incarnation: apply.table,
          generation: lookUp.fence.generation + 1,
          contents: lookUp.contents + 1,
          dataVersion: apply.dataVersion,
          rows: 7,
        };
        publications.set(apply.table, publication);
        lake.applied.push(apply);
        return {
          kind: 'published',
          publication,
          summary: {
            action: decision.action,
            reason: decision.reason,
            rowsDeleted: 1,
            rowsInserted: 3,
            recomputed: 'none',
            rowsScanned: 4,
            statements: [],
          },
        };
      },
      recordRefresh: ({table}) => {
        open.delete(table);
        atOnce.set(table, (atOnce.get(table) ?? 1) - 1);
        lake.recorded.push(table);
        return Promise.resolve({isMaintenanceDue: false});
      },
      checkStatement: ({statement}) =>
        Promise.resolve({
          ...{
            table: statement.replace('or replace ', ''),
            exists: false,
            columns: [],
            sources: ['main.base'],
            mode: 'full',
            reasons: ['for a test'],
          },
          definition,
          ...(statement.startsWith('or replace ') && {replaces: {incarnation: 'i', definition}}),
        }),
      reserveTable: () => step('reserveTable'),
      createTarget: () => step('createTarget'),
      finishCreate: () => step('finishCreate'),
      removeTable: () => step('removeTable'),
      replaceTable: () => step('replaceTable'),
      restoreTable: () => step('restoreTable'),
      beginDrop: ({table}) => Promise.resolve({table, incarnation: 'i', running: null}),
      alterTable: () => Promise.resolve({table: 'main.a', outcome: 'altered', mode: 'incremental', reasons: []}),
      suspendTable: ({table}) => Promise.resolve({table, outcome: 'suspended', readers: []}),
      resumeTable: ({table}) => Promise.resolve({table, outcome: 'resumed', readers: [], suspendedUpstream: null}),
      postAlert: () => step('alert'),
      recordFailure: ({table, code}) => {
        open.delete(table);
        lake.failures.push({table, code});
        return Promise.resolve();
      },
    }),
  };
  return lake;
}

const definition: StoredDefinition = {
  ...{table: {schema: 'main', name: 'a'}, query: '', settings: defaultSettings, reached: [], distrust: null},
  options: {
    ...{targetLag: {kind: 'downstream'}, refreshMode: 'AUTO', initialize: 'ON_CREATE'},
    ...{cardinalityThreshold: 0.3, comment: null},
  },
};

/** For an activity that is to run until it is cancelled. */
export async function untilCancelled(): Promise<void> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), 200);
  try {
    await context.cancelled;
  } finally {
    clearInterval(beat);
  }
}
