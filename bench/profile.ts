import type {Sample} from './measure.ts';
import type {Refreshed} from './engine.ts';
import {tenths} from './result.ts';
import {coveredMs, type Statement} from './statements.ts';
import type {Run} from './ways.ts';

/** A statement of a refresh, or what passed between two of them. */
export type ProfileLine = {
  readonly phase: string;
  /** The engine's own; null: it has none, as looks at the catalog. */
  readonly label: string | null;
  /** Null: outside of any statement, for the whole phase. */
  readonly database: Statement['database'] | null;
  readonly ms: number;
  readonly sql: string;
};

const longestSql = 160;

/** Whose statements are kept: a view with 10,000 groups, after inserts. */
export function isProfiled({batch, view}: Pick<Sample, 'batch' | 'view'>): boolean {
  return batch.name === 'inserts' && view.name === 'suppliers';
}

/** Of the refreshes that are profiled the smallest: the median of its rounds. */
export function smallRefresh(samples: readonly Sample[]): Run | null {
  const ofView = samples.filter(isProfiled);
  const smallest = Math.min(...ofView.map(({rate}) => rate));
  const sorted = ofView
    .filter(({rate}) => rate === smallest)
    .map(({runs: {incremental}}) => incremental)
    .toSorted((one, other) => one.ms - other.ms);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

/** `shown` takes the paths of this machine out of a statement. */
export function profileOf(run: Run, shown: (sql: string) => string): readonly ProfileLine[] {
  return run.refreshed.flatMap((refreshed) =>
    refreshed.phases.flatMap((phase) => {
      const statements = run.statements.filter(
        ({startedAt}) => startedAt >= phase.startedAt && startedAt < phase.endedAt,
      );
      return [
        ...statements.map(({database, sql, startedAt, endedAt}) => ({
          phase: phase.name,
          label: labelOf(refreshed, sql),
          database,
          ms: tenths(endedAt - startedAt),
          sql: short(shown(sql)),
        })),
        {
          ...{phase: phase.name, label: 'outside of SQL', database: null, sql: ''},
          ms: tenths(phase.endedAt - phase.startedAt - coveredMs(statements, phase)),
        },
      ];
    }),
  );
}

function labelOf({statements}: Refreshed, sql: string): string | null {
  return statements.find((statement) => statement.sql === sql)?.label ?? null;
}

function short(sql: string): string {
  const line = sql.replace(/\s+/g, ' ').trim();
  return line.length <= longestSql ? line : `${line.slice(0, longestSql - 1)}…`;
}
