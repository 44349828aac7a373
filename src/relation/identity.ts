import {sql, type Sql} from '../sql.ts';

/**
 * Two equalities: GROUP BY takes 0.0 and −0.0, and 1 month and 30 days, for equal; as rows they are not the same. Where whole rows
 * are netted, taken away or compared, these terms stand in the grouping beside the column itself. Empty for most types.
 * `collation` is the session's default: under NOCASE `a` and `A` are one group.
 */
export function identityTerms(column: Sql, type: string, collation = ''): Sql[] {
  if (!hasCoarseEquality(type, collation)) return [];
  return [collation === '' ? sql`${column}::VARCHAR` : sql`encode(${column}::VARCHAR)`];
}

export function hasCoarseEquality(type: string, collation = ''): boolean {
  return coarse.test(type) || (collation !== '' && text.test(type));
}

/** In a nested type too. A field's name may match as well: one needless term, no wrong row. */
const coarse = /\b(FLOAT|DOUBLE|INTERVAL|TIME WITH TIME ZONE|TIMETZ|VARIANT)\b/i;
const text = /\b(VARCHAR|JSON)\b/i;

/** Equal values are identical, and the lake gives them back as they were. Nested types are left out: nobody has needed them yet. */
export function isStoredAsItIs(type: string): boolean {
  return plain.test(type);
}

const plain =
  /^(BOOLEAN|U?(TINY|SMALL|BIG)INT|U?INTEGER|DECIMAL\(.*\)|VARCHAR|BLOB|UUID|DATE|TIME|TIMESTAMP( WITH TIME ZONE)?)$/;
