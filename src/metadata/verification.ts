import {rows, type Queryable} from './database.ts';

/** A row that only one side has: the query (`missing` from the table) or the table (`unexpected`). Values are texts. */
export type Difference = {
  readonly side: 'missing' | 'unexpected';
  readonly count: number;
  readonly values: readonly (string | null)[];
};

/** A table compared with its query. */
export type VerificationRow = {
  readonly id: number;
  readonly table: string;
  readonly incarnation: string;
  readonly verdict: 'equal' | 'different' | 'history-changed';
  readonly dataVersion: number;
  readonly snapshot: number;
  readonly rows: number;
  readonly missing: number;
  readonly unexpected: number;
  readonly note: string | null;
  readonly columns: readonly string[];
  /** At most the first ten. */
  readonly differences: readonly Difference[];
  readonly milliseconds: number;
  readonly verifiedAt: string;
};

const columns = `id, dynamic_table as "table", incarnation, verdict, data_version as "dataVersion", snapshot,
  row_count as "rows", missing, unexpected, note, columns, differences, milliseconds, verified_at as "verifiedAt"`;

export async function insertVerification(
  database: Queryable,
  verification: Omit<VerificationRow, 'id' | 'verifiedAt'>,
): Promise<number> {
  const inserted = await rows<{id: number}>(
    database,
    `insert into freshet.verification (dynamic_table, incarnation, verdict, data_version, snapshot, row_count, missing,
       unexpected, note, columns, differences, milliseconds)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     returning id`,
    [
      verification.table,
      verification.incarnation,
      verification.verdict,
      verification.dataVersion,
      verification.snapshot,
      verification.rows,
      verification.missing,
      verification.unexpected,
      verification.note,
      verification.columns,
      JSON.stringify(verification.differences),
      verification.milliseconds,
    ],
  );
  return inserted[0]?.id ?? 0;
}

export async function findVerification(database: Queryable, id: number): Promise<VerificationRow | null> {
  const found = await rows<VerificationRow>(database, `select ${columns} from freshet.verification where id = $1`, [
    id,
  ]);
  return found[0] ?? null;
}
