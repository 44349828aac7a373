import type {Publication} from '../refresh/messages.ts';
import {rows, type Queryable} from './database.ts';

/** A publication that holds for every data version from its own to `untilVersion`. */
export type HeldPublication = Publication & {readonly table: string; readonly untilVersion: number};

const columns = `dynamic_table as "table", incarnation, data_version as "dataVersion", until_version as "untilVersion",
  snapshot, generation, contents, row_count as "rows"`;

/** Puts down a publication; another for the same version replaces it only with a higher generation. */
export async function savePublication(database: Queryable, table: string, publication: Publication): Promise<void> {
  await database.query(
    `insert into freshet.publication
       (dynamic_table, incarnation, data_version, until_version, snapshot, generation, contents, row_count)
     select $1, $2, $3, $3, $4, $5, $6, $7
     where exists (select from freshet.dynamic_table where name = $1 and incarnation = $2)
     on conflict (dynamic_table, incarnation, data_version) do update
       set snapshot = excluded.snapshot, generation = excluded.generation, contents = excluded.contents,
         row_count = excluded.row_count, until_version = excluded.until_version, published_at = now()
       where publication.generation < excluded.generation`,
    [
      table,
      publication.incarnation,
      publication.dataVersion,
      publication.snapshot,
      publication.generation,
      publication.contents,
      publication.rows,
    ],
  );
}

/** Nothing below has changed up to `untilVersion`: the publication holds for it too. */
export async function extendPublication(
  database: Queryable,
  table: string,
  publication: Publication,
  untilVersion: number,
): Promise<void> {
  await database.query(
    `update freshet.publication
     set until_version = greatest(until_version, $4)
     where dynamic_table = $1 and incarnation = $2 and data_version = $3 and generation = $5`,
    [table, publication.incarnation, publication.dataVersion, untilVersion, publication.generation],
  );
}

/** The publication whose contents answer for data version `version`. */
export async function publicationAt(
  database: Queryable,
  table: string,
  incarnation: string,
  version: number,
): Promise<HeldPublication | null> {
  const found = await rows<HeldPublication>(
    database,
    `select ${columns} from freshet.publication
     where dynamic_table = $1 and incarnation = $2 and data_version <= $3 and until_version >= $3
     order by generation desc limit 1`,
    [table, incarnation, version],
  );
  return found[0] ?? null;
}

/** The newest publication of each table. */
export async function newestPublications(database: Queryable): Promise<HeldPublication[]> {
  return rows<HeldPublication>(
    database,
    `select distinct on (dynamic_table) ${columns}
     from freshet.publication
     where incarnation in (select incarnation from freshet.dynamic_table)
     order by dynamic_table, generation desc`,
  );
}

/** Forgets publications that no run asks for any more: all but the newest hundred of a table. */
export async function forgetPublications(database: Queryable, table: string): Promise<void> {
  await database.query(
    `delete from freshet.publication
     where dynamic_table = $1 and generation < (select max(generation) - 100 from freshet.publication where dynamic_table = $1)`,
    [table],
  );
}
