import type {TableName} from '../table-name.ts';

/** How stale a dynamic table may be; `downstream`: only as fresh as whoever reads it asks for. */
export type TargetLag = {readonly kind: 'seconds'; readonly seconds: number} | {readonly kind: 'downstream'};

/** What the user allows: AUTO takes the cheaper way, INCREMENTAL refuses a query without a rule, FULL always recomputes. */
export type RefreshMode = 'AUTO' | 'INCREMENTAL' | 'FULL';

export type Options = {
  readonly targetLag: TargetLag;
  readonly refreshMode: RefreshMode;
  readonly initialize: 'ON_CREATE' | 'ON_SCHEDULE';
  /** Share of the rows above which recomputing is taken to be cheaper; 0 to 1. */
  readonly cardinalityThreshold: number;
  readonly comment: string | null;
  /** Which tables go first when workers are short: 1 before 5. Definitions of before there was a choice have none. */
  readonly priority?: number;
};

/** In the middle, as in Temporal. */
export const standardPriority = 3;

/** What the user wrote, and what it was bound under: all that its meaning depends on besides the lake. */
export type Definition = {
  readonly table: TableName;
  /** The query, character for character. */
  readonly query: string;
  readonly options: Options;
  readonly settings: QuerySettings;
};

/** The settings of DuckDB that a query's meaning depends on. Evaluated in an instance made with just these. */
export type QuerySettings = {
  readonly timeZone: string;
  readonly defaultNullOrder: string;
  readonly defaultOrder: string;
  readonly defaultCollation: string;
  readonly integerDivision: boolean;
};

/** DuckDB's own defaults, in UTC. */
export const defaultSettings: QuerySettings = {
  timeZone: 'UTC',
  defaultNullOrder: 'NULLS_LAST',
  defaultOrder: 'ASC',
  defaultCollation: '',
  integerDivision: false,
};
