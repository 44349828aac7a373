import {rows, type Queryable} from './database.ts';

/** A snapshot of the lake, and when it was the newest. */
export type Rung = {readonly dataVersion: number; readonly chosenAt: string};

/** The rung of a nominal time, if somebody has chosen it. */
export async function findRung(database: Queryable, nominalTime: string): Promise<Rung | null> {
  const found = await rows<Rung>(
    database,
    `select data_version as "dataVersion", chosen_at as "chosenAt" from freshet.rung where nominal_time = $1`,
    [nominalTime],
  );
  return found[0] ?? null;
}

/** Proposes a snapshot for a nominal time; what whoever came first proposed holds, for everybody. */
export async function chooseRung(database: Queryable, nominalTime: string, newest: number): Promise<Rung> {
  await database.query(
    `insert into freshet.rung (nominal_time, data_version) values ($1, $2) on conflict (nominal_time) do nothing`,
    [nominalTime, newest],
  );
  return (await findRung(database, nominalTime)) ?? {dataVersion: newest, chosenAt: new Date().toISOString()};
}

/** Forgets rungs that no run can ask for any more: catch-up reaches a minute back. */
export async function forgetRungs(database: Queryable): Promise<void> {
  await database.query(`delete from freshet.rung where chosen_at < now() - interval '1 hour'`);
}
