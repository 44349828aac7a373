import type {Source} from './views.ts';

export type BatchName = 'inserts' | 'deletes' | 'updates' | 'dimension' | 'irrelevant';

/** A change of the sources, as an application makes it. */
export type Batch = {
  readonly name: BatchName;
  readonly title: string;
  readonly changes: readonly Source[];
  /** What somebody with the lake attached runs, in one transaction. */
  readonly statements: (draw: Draw) => readonly string[];
};

export type Draw = {
  /** Of the orders, or of the rows that are updated. */
  readonly share: number;
  /** From 0 on; other rounds change other rows. */
  readonly round: number;
  readonly rounds: number;
};

/**
 * `generated` is the schema of the generator's own tables. Inserts and deletes are TPC-H's refresh functions: new orders with their
 * lines come, like those there are but of other parts, and old ones, whose keys are consecutive, go.
 */
export function batchesOver(generated: string): readonly Batch[] {
  return [
    {
      name: 'inserts',
      title: 'new orders with their lines',
      changes: ['lineitem', 'orders'],
      statements: ({share, round}) => [
        `CREATE OR REPLACE TEMP TABLE new_orders AS
SELECT *, row_number() OVER () + (SELECT max(o_orderkey) FROM orders) AS new_key
FROM (FROM ${generated}.orders ORDER BY hash(o_orderkey, ${round}) LIMIT ${countOf(share, generated, 'orders')})`,
        `INSERT INTO orders SELECT * EXCLUDE new_key REPLACE (new_key AS o_orderkey) FROM new_orders`,
        `INSERT INTO lineitem
SELECT l.* REPLACE (new_key AS l_orderkey, l_partkey % (SELECT count(*) FROM part) + 1 AS l_partkey)
FROM ${generated}.lineitem AS l JOIN new_orders ON l_orderkey = o_orderkey`,
      ],
    },
    {
      name: 'deletes',
      title: 'consecutive orders with their lines',
      changes: ['lineitem', 'orders'],
      statements: ({share, round, rounds}) => [
        `CREATE OR REPLACE TEMP TABLE old_orders AS
SELECT min(o_orderkey) AS first, max(o_orderkey) AS last
FROM (FROM ${generated}.orders ORDER BY o_orderkey
  LIMIT ${countOf(share, generated, 'orders')} OFFSET (SELECT count(*) * ${round} // ${rounds} FROM ${generated}.orders))`,
        `DELETE FROM lineitem WHERE l_orderkey BETWEEN (SELECT first FROM old_orders) AND (SELECT last FROM old_orders)`,
        `DELETE FROM orders WHERE o_orderkey BETWEEN (SELECT first FROM old_orders) AND (SELECT last FROM old_orders)`,
      ],
    },
    {
      name: 'updates',
      title: 'lines at random places',
      changes: ['lineitem'],
      statements: ({share, round}) => [
        `UPDATE lineitem
SET l_quantity = l_quantity % 50 + 1, l_extendedprice = l_extendedprice + 1,
  l_suppkey = l_suppkey % (SELECT count(*) FROM supplier) + 1,
  l_returnflag = CASE l_returnflag WHEN 'R' THEN 'A' ELSE 'R' END, l_shipmode = CASE l_shipmode WHEN 'AIR' THEN 'MAIL' ELSE 'AIR' END
WHERE ${isDrawn('l_orderkey, l_linenumber', share, round)}`,
      ],
    },
    {
      name: 'dimension',
      title: 'customers and parts at random places',
      changes: ['customer', 'part'],
      statements: ({share, round}) => [
        `UPDATE customer
SET c_mktsegment = CASE c_mktsegment WHEN 'BUILDING' THEN 'MACHINERY' ELSE 'BUILDING' END, c_nationkey = (c_nationkey + 1) % 25
WHERE c_custkey IN (SELECT c_custkey FROM customer ORDER BY hash(c_custkey, ${round}) LIMIT ${countOf(share, generated, 'customer')})`,
        `UPDATE part
SET p_brand = CASE p_brand WHEN 'Brand#11' THEN 'Brand#22' ELSE 'Brand#11' END
WHERE p_partkey IN (SELECT p_partkey FROM part ORDER BY hash(p_partkey, ${round}) LIMIT ${countOf(share, generated, 'part')})`,
      ],
    },
    {
      name: 'irrelevant',
      title: 'a column of lines that no view uses',
      changes: ['lineitem'],
      statements: ({share, round}) => [
        `UPDATE lineitem SET l_comment = l_comment || '.' WHERE ${isDrawn('l_orderkey, l_linenumber', share, -1 - round)}`,
      ],
    },
  ];
}

/** At least one row, however small the table. */
function countOf(share: number, generated: string, table: string): string {
  return `(SELECT greatest(1, round(count(*) * ${share}))::BIGINT FROM ${generated}.${table})`;
}

function isDrawn(key: string, share: number, seed: number): string {
  return `hash(${key}, ${seed}) % 1000000 < ${Math.round(share * 1_000_000)}`;
}
