import type {BatchName} from './batches.ts';
import type {Source, View} from './views.ts';

/**
 * What a careful engineer writes to keep each view up to date without an engine: he takes the rows that changed from DuckLake's own
 * change feed, deletes the groups they belong to and inserts them recomputed. He knows which kind of change came, reads only the feeds and
 * columns that this kind needs, and where hardly a group is left untouched recomputes all without asking. His statements run in one
 * transaction that also moves his watermark on; his tables are in schema `hand`.
 */
export type Rival = (feed: Feed, batch: BatchName) => readonly string[];

/** The snapshots that he has not taken in yet, both inclusive. */
export type Feed = {readonly first: number; readonly last: number};

export function rivalOf({name}: View): Rival {
  const rival = rivals[name];
  if (rival === undefined) throw new Error(`Nobody has written SQL for ${name}`);
  return rival;
}

const rivals: Readonly<Record<string, Rival>> = {
  total: () => [
    'TRUNCATE hand.total',
    `INSERT INTO hand.total
SELECT count(*), sum(l_quantity), sum(l_extendedprice * (1 - l_discount)) FROM lineitem`,
  ],

  pricing: () => [
    'TRUNCATE hand.pricing',
    `INSERT INTO hand.pricing
SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice), sum(l_extendedprice * (1 - l_discount)),
  sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)), avg(l_quantity), avg(l_extendedprice), avg(l_discount), count(*)
FROM lineitem
WHERE l_shipdate <= DATE '1998-09-02'
GROUP BY ALL`,
  ],

  suppliers: (feed, batch) => [
    changed(feed, batch, 'lineitem', 'l_suppkey'),
    'DELETE FROM hand.suppliers WHERE l_suppkey IN (SELECT l_suppkey FROM changed_lineitem)',
    `INSERT INTO hand.suppliers
SELECT l_suppkey, count(*), sum(l_quantity), sum(l_extendedprice * (1 - l_discount))
FROM lineitem
WHERE l_suppkey IN (SELECT l_suppkey FROM changed_lineitem)
GROUP BY l_suppkey`,
  ],

  order_totals: (feed, batch) => [
    changed(feed, batch, 'lineitem', 'l_orderkey'),
    'DELETE FROM hand.order_totals WHERE l_orderkey IN (SELECT l_orderkey FROM changed_lineitem)',
    `INSERT INTO hand.order_totals
SELECT l_orderkey, count(*), sum(l_extendedprice * (1 - l_discount) * (1 + l_tax))
FROM lineitem
WHERE l_orderkey IN (SELECT l_orderkey FROM changed_lineitem)
GROUP BY l_orderkey`,
  ],

  brands: (feed, batch) => [
    ...(batch === 'dimension'
      ? [
          changed(feed, batch, 'part', 'p_brand', 'p_container'),
          'CREATE OR REPLACE TEMP TABLE affected AS SELECT DISTINCT p_brand, p_container FROM changed_part',
        ]
      : [
          changed(feed, batch, 'lineitem', 'l_partkey'),
          `CREATE OR REPLACE TEMP TABLE affected AS
SELECT DISTINCT p_brand, p_container FROM part WHERE p_partkey IN (SELECT l_partkey FROM changed_lineitem)`,
        ]),
    'DELETE FROM hand.brands WHERE (p_brand, p_container) IN (SELECT p_brand, p_container FROM affected)',
    `INSERT INTO hand.brands
SELECT p_brand, p_container, count(*), sum(l_extendedprice * (1 - l_discount))
FROM lineitem JOIN part ON l_partkey = p_partkey
WHERE (p_brand, p_container) IN (SELECT p_brand, p_container FROM affected)
GROUP BY p_brand, p_container`,
  ],

  shipping: (feed, batch) => [
    ...affectedOrders(feed, batch),
    'DELETE FROM hand.shipping WHERE l_orderkey IN (SELECT l_orderkey FROM affected)',
    ...(batch === 'deletes'
      ? [] // Orders go with all their lines.
      : [
          `INSERT INTO hand.shipping
SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)), o_orderdate, o_shippriority
FROM customer, orders, lineitem
WHERE l_orderkey IN (SELECT l_orderkey FROM affected)
  AND c_mktsegment = 'BUILDING'
  AND c_custkey = o_custkey
  AND l_orderkey = o_orderkey
  AND o_orderdate < DATE '1995-03-15'
  AND l_shipdate > DATE '1995-03-15'
GROUP BY l_orderkey, o_orderdate, o_shippriority`,
        ]),
  ],

  local_revenue: () => [
    'TRUNCATE hand.local_revenue',
    `INSERT INTO hand.local_revenue
SELECT n_name, sum(l_extendedprice * (1 - l_discount))
FROM customer, orders, lineitem, supplier, nation, region
WHERE c_custkey = o_custkey
  AND l_orderkey = o_orderkey
  AND l_suppkey = s_suppkey
  AND c_nationkey = s_nationkey
  AND s_nationkey = n_nationkey
  AND n_regionkey = r_regionkey
  AND r_name = 'ASIA'
  AND o_orderdate >= DATE '1994-01-01'
  AND o_orderdate < DATE '1995-01-01'
GROUP BY n_name`,
  ],

  late_lines: (feed, batch) => [
    ...(batch === 'inserts'
      ? []
      : [
          went(feed, 'lineitem', 'l_orderkey', 'l_linenumber'),
          `DELETE FROM hand.late_lines
WHERE (l_orderkey, l_linenumber) IN (SELECT l_orderkey, l_linenumber FROM gone_lineitem)`,
        ]),
    ...(batch === 'deletes'
      ? []
      : [
          came(
            feed,
            'lineitem',
            ...['l_orderkey', 'l_linenumber', 'l_suppkey', 'l_receiptdate', 'l_commitdate'],
            ...['l_extendedprice', 'l_discount', 'l_shipmode'],
          ),
          `INSERT INTO hand.late_lines
SELECT l_orderkey, l_linenumber, l_suppkey, l_receiptdate - l_commitdate, l_extendedprice * (1 - l_discount)
FROM new_lineitem
WHERE l_receiptdate > l_commitdate AND l_shipmode IN ('AIR', 'REG AIR')`,
        ]),
  ],

  part_modes: (feed, batch) => [
    ...(batch === 'inserts'
      ? []
      : [
          went(feed, 'lineitem', 'l_partkey', 'l_shipmode'),
          `DELETE FROM hand.part_modes
WHERE (l_partkey, l_shipmode) IN (SELECT l_partkey, l_shipmode FROM gone_lineitem)
  AND (l_partkey, l_shipmode) NOT IN (SELECT l_partkey, l_shipmode FROM lineitem WHERE l_partkey IN (SELECT l_partkey FROM gone_lineitem))`,
        ]),
    ...(batch === 'deletes'
      ? []
      : [
          came(feed, 'lineitem', 'l_partkey', 'l_shipmode'),
          `INSERT INTO hand.part_modes
SELECT DISTINCT l_partkey, l_shipmode FROM new_lineitem ANTI JOIN hand.part_modes USING (l_partkey, l_shipmode)`,
        ]),
  ],

  chain: (feed, batch) => [
    ...(batch === 'dimension'
      ? []
      : [
          changed(feed, batch, 'lineitem', 'l_orderkey'),
          'CREATE OR REPLACE TEMP TABLE affected_orders AS SELECT DISTINCT l_orderkey FROM changed_lineitem',
          // Orders go and come with their lines: whose they were, or are, only their own feed tells once they have gone.
          ...(batch === 'inserts' || batch === 'deletes'
            ? [changed(feed, batch, 'orders', 'o_custkey'), affectedCustomers('FROM changed_orders')]
            : [affectedCustomers('FROM orders WHERE o_orderkey IN (SELECT l_orderkey FROM affected_orders)')]),
          'DELETE FROM hand.order_revenue WHERE l_orderkey IN (SELECT l_orderkey FROM affected_orders)',
          `INSERT INTO hand.order_revenue
SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount))
FROM lineitem
WHERE l_orderkey IN (SELECT l_orderkey FROM affected_orders)
GROUP BY l_orderkey`,
          'DELETE FROM hand.customer_revenue WHERE o_custkey IN (SELECT o_custkey FROM affected_customers)',
          `INSERT INTO hand.customer_revenue
SELECT o_custkey, count(*), sum(revenue)
FROM hand.order_revenue JOIN orders ON l_orderkey = o_orderkey
WHERE o_custkey IN (SELECT o_custkey FROM affected_customers)
GROUP BY o_custkey`,
        ]),
    // Five segments in 25 nations: hardly one is left untouched.
    'TRUNCATE hand.segment_revenue',
    `INSERT INTO hand.segment_revenue
SELECT c_mktsegment, c_nationkey, count(*), sum(revenue)
FROM hand.customer_revenue JOIN customer ON o_custkey = c_custkey
GROUP BY c_mktsegment, c_nationkey`,
  ],
};

/** Orders whose lines, or whose customer, changed. */
function affectedOrders(feed: Feed, batch: BatchName): readonly string[] {
  if (batch !== 'dimension') {
    return [
      changed(feed, batch, 'lineitem', 'l_orderkey'),
      'CREATE OR REPLACE TEMP TABLE affected AS SELECT DISTINCT l_orderkey FROM changed_lineitem',
    ];
  }
  return [
    changed(feed, batch, 'customer', 'c_custkey'),
    `CREATE OR REPLACE TEMP TABLE affected AS
SELECT o_orderkey AS l_orderkey FROM orders WHERE o_custkey IN (SELECT c_custkey FROM changed_customer)`,
  ];
}

function affectedCustomers(from: string): string {
  return `CREATE OR REPLACE TEMP TABLE affected_customers AS SELECT DISTINCT o_custkey ${from}`;
}

/**
 * `changed_…`: the rows that came or went, as far as there can be any. Feeds are first written down as they come: a join or an aggregate
 * in the statement that reads one can give wrong rows.
 */
function changed(feed: Feed, batch: BatchName, source: Source, ...columns: readonly string[]): string {
  const sides = [
    ...(batch === 'deletes' ? [] : [side(feed, 'insertions', source, columns)]),
    ...(batch === 'inserts' ? [] : [side(feed, 'deletions', source, columns)]),
  ];
  return `CREATE OR REPLACE TEMP TABLE changed_${source} AS\n${sides.join('\nUNION ALL\n')}`;
}

function came(feed: Feed, source: Source, ...columns: readonly string[]): string {
  return `CREATE OR REPLACE TEMP TABLE new_${source} AS\n${side(feed, 'insertions', source, columns)}`;
}

function went(feed: Feed, source: Source, ...columns: readonly string[]): string {
  return `CREATE OR REPLACE TEMP TABLE gone_${source} AS\n${side(feed, 'deletions', source, columns)}`;
}

function side({first, last}: Feed, kind: string, source: Source, columns: readonly string[]): string {
  return `SELECT ${columns.join(', ')} FROM ducklake_table_${kind}('lake', 'main', '${source}', ${first}, ${last})`;
}
