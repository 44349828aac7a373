/**
 * Why a refresh reads everything. A closed union: each kind is one wrong answer that an incremental refresh might have given,
 * or one thing that has happened to the sources. `reasonText` says it in words for people.
 */
export type Reason =
  /** An operator or expression of the query that no rule covers. `construct` is a phrase such as "a LEFT JOIN". */
  | {readonly kind: 'construct'; readonly construct: string; readonly rewrite?: string}
  /** The query leaves DuckDB a choice, so that a second evaluation may answer differently. */
  | {readonly kind: 'free-choice'; readonly construct: string; readonly rewrite?: string}
  /** Float arithmetic whose last bits depend on the order of rows, where the old answer would have to be taken back. */
  | {readonly kind: 'inexact'; readonly construct: string; readonly rewrite?: string}
  /** Printed and bound again, the query was not the same: a bug in Freshet, kept from doing harm. */
  | {readonly kind: 'round-trip'; readonly detail: string}
  | {readonly kind: 'mode'}
  | {readonly kind: 'requested'}
  | {readonly kind: 'first-refresh'}
  | {readonly kind: 'definition-changed'; readonly detail: string}
  | {readonly kind: 'source-replaced'; readonly source: string}
  | {readonly kind: 'source-schema-changed'; readonly source: string; readonly detail: string}
  | {readonly kind: 'view-changed'; readonly view: string}
  | {readonly kind: 'snapshot-expired'; readonly source: string; readonly snapshot: number}
  | {readonly kind: 'version-went-back'; readonly source: string}
  | {readonly kind: 'count-mismatch'; readonly source: string; readonly expected: number; readonly found: number}
  | {
      readonly kind: 'history-changed';
      readonly source: string;
      readonly snapshot: number;
      readonly expected: number;
      readonly found: number;
    }
  | {readonly kind: 'upstream-recreated'; readonly source: string}
  | {readonly kind: 'target-written'; readonly snapshot: number}
  | {readonly kind: 'target-files-lost'}
  | {readonly kind: 'target-count-mismatch'; readonly expected: number; readonly found: number}
  | {readonly kind: 'row-missing'; readonly rows: number}
  /** The hidden table that changes are merged into. */
  | {readonly kind: 'groups-lost'}
  | {readonly kind: 'data-error'; readonly message: string}
  | {readonly kind: 'cheaper'; readonly ratio: number; readonly threshold: number}
  | {readonly kind: 'volatile'; readonly functionName: string};

/** One sentence for people: what it is, and what would help if something would. */
export function reasonText(reason: Reason): string {
  switch (reason.kind) {
    case 'construct':
      return withRewrite(`${reason.construct} has no incremental rule`, reason.rewrite);
    case 'free-choice':
      return withRewrite(
        `${reason.construct} leaves a free choice, and a second evaluation may choose differently`,
        reason.rewrite,
      );
    case 'inexact':
      return withRewrite(`${reason.construct} depends on the order of rows in its last bits`, reason.rewrite);
    case 'round-trip':
      return `Freshet's reading of the query did not survive its check (${reason.detail}); please report it`;
    case 'mode':
      return 'REFRESH_MODE = FULL';
    case 'requested':
      return 'a full refresh was asked for';
    case 'first-refresh':
      return 'the first refresh';
    case 'definition-changed':
      return `the definition changed: ${reason.detail}`;
    case 'source-replaced':
      return `${reason.source} was dropped and created again`;
    case 'source-schema-changed':
      return `${reason.source} changed its columns: ${reason.detail}`;
    case 'view-changed':
      return `${reason.view} has another definition`;
    case 'snapshot-expired':
      return `snapshot ${reason.snapshot} of ${reason.source} has been expired, so its changes can't be known`;
    case 'version-went-back':
      return `${reason.source} is to be read at an older snapshot than the one already taken in`;
    case 'count-mismatch':
      return `the change feed of ${reason.source} does not add up: ${reason.expected} rows expected, ${reason.found} found`;
    case 'history-changed':
      return `the past of ${reason.source} is not what it was: ${reason.expected} rows were read at snapshot ${reason.snapshot}, ${reason.found} are there now`;
    case 'upstream-recreated':
      return `${reason.source} was created again`;
    case 'target-written':
      return `somebody else wrote into the table (snapshot ${reason.snapshot})`;
    case 'target-files-lost':
      return `files of the table are gone, as after a COMMIT whose answer was lost`;
    case 'target-count-mismatch':
      return `the table has ${reason.found} rows where ${reason.expected} were left`;
    case 'row-missing':
      return `${reason.rows} rows that had to be taken away were not there`;
    case 'groups-lost':
      return 'the counts and sums that changes were merged into are gone, altered, or without their files';
    case 'data-error':
      return `the incremental statement failed on the data: ${reason.message}`;
    case 'cheaper':
      return `recomputing is cheaper: following the change would read ${percent(reason.ratio)} of what a recomputation reads (threshold ${percent(reason.threshold)})`;
    case 'volatile':
      return `${calledText(reason.functionName)} has no value at a snapshot`;
  }
}

/** `random` as a call; what is more than a name already stands as it is. */
function calledText(name: string): string {
  return /^\w+$/.test(name) ? `${name}()` : name;
}

function withRewrite(text: string, rewrite: string | undefined): string {
  return rewrite === undefined ? text : `${text}; ${rewrite}`;
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 1000) / 10} %`;
}
