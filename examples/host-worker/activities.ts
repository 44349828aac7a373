import {DuckDBInstance, type DuckDBConnection} from '@duckdb/node-api';

export type Customer = {readonly customer: string; readonly amount: number};

/** The orders of a day, instead of those that the lake has of it: an activity may run twice. */
export async function loadOrders(day: string): Promise<number> {
  return inLake(async (lake) => {
    await lake.run('BEGIN');
    await lake.run('DELETE FROM orders WHERE day = $day::DATE', {day});
    const loaded = await lake.run(
      `INSERT INTO orders SELECT $day::DATE, 'customer ' || i % 100, i % 7 + 1 FROM range(10000) t(i)`,
      {day},
    );
    await lake.run('COMMIT');
    return loaded.rowsChanged;
  });
}

/** From the dynamic table, as it was at a snapshot of the lake. */
export async function bestCustomers(snapshot: number): Promise<Customer[]> {
  return inLake(async (lake) => {
    const found = await lake.runAndReadAll(
      `SELECT customer, amount::INTEGER AS amount FROM sales AT (VERSION => ${snapshot})
       ORDER BY amount DESC, customer LIMIT 3`,
    );
    return found.getRowObjectsJS() as Customer[]; // As the query has them.
  });
}

/** Any DuckDB reads and writes the lake. `ATTACH` wants to know what the address is of, which the variable may leave out. */
async function inLake<T>(work: (lake: DuckDBConnection) => Promise<T>): Promise<T> {
  const catalog = process.env['FRESHET_LAKE'] ?? '';
  const address = catalog.replace(/^(?:ducklake:)?(?:postgres:(?!\/\/))?/, 'ducklake:postgres:');
  const instance = await DuckDBInstance.create();
  try {
    const lake = await instance.connect();
    await lake.run(`ATTACH '${address.replaceAll("'", "''")}' AS lake`);
    await lake.run('USE lake');
    return await work(lake);
  } finally {
    instance.closeSync();
  }
}
