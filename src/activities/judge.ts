import type {Bound} from '../binder/bound.ts';
import type {Options} from '../definition/definition.ts';
import {reasonText} from '../delta/reason.ts';
import {FreshetError} from '../errors.ts';
import {tableNameText, type TableName} from '../table-name.ts';
import {fullReasons} from './look-up-snapshots.ts';

/** Why it is refreshed fully; throws where the user has ruled that out. */
export function judge(
  {options, table}: {readonly options: Options; readonly table: TableName},
  bound: Bound,
): readonly string[] {
  const [volatile] = bound.volatileFunctions;
  if (volatile !== undefined && options.refreshMode !== 'FULL') {
    throw new FreshetError(
      'volatile_function',
      `${reasonText({kind: 'volatile', functionName: volatile})}, so ${tableNameText(table)} would have none.`,
      {
        hint: 'Leave it out, or write REFRESH_MODE = FULL to evaluate it once per refresh.',
      },
    );
  }
  const reasons = fullReasons(bound.reading).map(reasonText);
  if (options.refreshMode === 'INCREMENTAL' && reasons.length > 0) {
    throw new FreshetError('not_incremental', `The query can't be refreshed incrementally: ${reasons.join('; ')}.`, {
      hint: 'Write REFRESH_MODE = AUTO to have it recomputed instead.',
    });
  }
  return withMode(options, reasons);
}

const byMode = 'REFRESH_MODE = FULL';

/** The reasons of a query under a refresh mode; they may have been put together under another. */
export function withMode({refreshMode}: Options, reasons: readonly string[]): readonly string[] {
  const ofQuery = reasons.filter((reason) => reason !== byMode);
  return refreshMode === 'FULL' ? [byMode, ...ofQuery] : ofQuery;
}
