import type {TableName} from '../table-name.ts';
import type {Options} from './definition.ts';

/** What a person typed: a statement of ours, or SQL that is DuckDB's business. */
export type Statement =
  | Create
  | {readonly kind: 'alter'; readonly table: TableName; readonly change: AlterChange}
  | {readonly kind: 'drop'; readonly table: TableName; readonly ifExists: boolean}
  | {readonly kind: 'show'; readonly like: string | null}
  | {readonly kind: 'describe'; readonly table: TableName}
  | {readonly kind: 'sql'; readonly text: string};

export type Create = {
  readonly kind: 'create';
  readonly table: TableName;
  readonly ifNotExists: boolean;
  readonly orReplace: boolean;
  readonly options: Options;
  readonly query: Query;
};

/** The query, character for character, and where it begins in `statement`: what positions in errors are counted from. */
export type Query = {readonly text: string; readonly statement: string; readonly offset: number};

export type AlterChange =
  | {readonly kind: 'refresh' | 'suspend' | 'resume'}
  | {readonly kind: 'set'; readonly options: Partial<Options>}
  | {readonly kind: 'rename'; readonly to: TableName};

/** A query that stands alone. */
export function bareQuery(text: string): Query {
  return {text, statement: text, offset: 0};
}
