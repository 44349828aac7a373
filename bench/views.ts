/** TPC-H tables that batches change; supplier, nation and region stay as they are. */
export type Source = 'lineitem' | 'orders' | 'customer' | 'part';

export type View = {
  readonly name: string;
  readonly title: string;
  /** Of the tables that batches change. */
  readonly reads: readonly Source[];
  /** The dynamic tables that it is made of; each may read those before it. */
  readonly steps: readonly Step[];
  /** Played at scale factor 1 too. */
  readonly isLarge?: true;
};

export type Step = {
  readonly name: string;
  /** Its query, which finds the steps before it in `schema` and everything else in the lake's `main`. */
  readonly query: (schema: string) => string;
};

/**
 * What people keep as materialised views today: nine of them, and a chain of three tables. Queries that TPC-H has are as TPC-H
 * spells them, without ORDER BY and LIMIT. How many groups they have is said for scale factor 1.
 */
export const views: readonly View[] = [
  view('total', 'one group', ['lineitem'], totalQuery, 'large'),
  view('pricing', 'a few groups (Q1)', ['lineitem'], pricingQuery),
  view('suppliers', '10,000 groups', ['lineitem'], suppliersQuery, 'large'),
  view('order_totals', '1.5 million groups', ['lineitem'], orderTotalsQuery),
  view('brands', 'join of two', ['lineitem', 'part'], brandsQuery),
  view('shipping', 'join of three (Q3)', ['lineitem', 'orders', 'customer'], shippingQuery, 'large'),
  view('local_revenue', 'join of six (Q5)', ['lineitem', 'orders', 'customer'], localRevenueQuery),
  view('late_lines', 'filter and project', ['lineitem'], lateLinesQuery),
  view('part_modes', 'DISTINCT', ['lineitem'], partModesQuery),
  {
    name: 'chain',
    title: 'chain of three tables',
    reads: ['lineitem', 'orders', 'customer'],
    steps: [
      {name: 'order_revenue', query: orderRevenueQuery},
      {name: 'customer_revenue', query: customerRevenueQuery},
      {name: 'segment_revenue', query: segmentRevenueQuery},
    ],
  },
];

function view(
  name: string,
  title: string,
  reads: readonly Source[],
  query: Step['query'],
  size: 'small' | 'large' = 'small',
): View {
  return {name, title, reads, steps: [{name, query}], ...(size === 'large' ? {isLarge: true} : {})};
}

function totalQuery(): string {
  return `SELECT count(*) AS lines, sum(l_quantity) AS quantity, sum(l_extendedprice * (1 - l_discount)) AS revenue
FROM lineitem`;
}

function pricingQuery(): string {
  return `SELECT l_returnflag, l_linestatus,
  sum(l_quantity) AS sum_qty,
  sum(l_extendedprice) AS sum_base_price,
  sum(l_extendedprice * (1 - l_discount)) AS sum_disc_price,
  sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge,
  avg(l_quantity) AS avg_qty,
  avg(l_extendedprice) AS avg_price,
  avg(l_discount) AS avg_disc,
  count(*) AS count_order
FROM lineitem
WHERE l_shipdate <= DATE '1998-09-02'
GROUP BY l_returnflag, l_linestatus`;
}

function suppliersQuery(): string {
  return `SELECT l_suppkey, count(*) AS lines, sum(l_quantity) AS quantity, sum(l_extendedprice * (1 - l_discount)) AS revenue
FROM lineitem
GROUP BY l_suppkey`;
}

function orderTotalsQuery(): string {
  return `SELECT l_orderkey, count(*) AS lines, sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS total
FROM lineitem
GROUP BY l_orderkey`;
}

function brandsQuery(): string {
  return `SELECT p_brand, p_container, count(*) AS lines, sum(l_extendedprice * (1 - l_discount)) AS revenue
FROM lineitem JOIN part ON l_partkey = p_partkey
GROUP BY p_brand, p_container`;
}

function shippingQuery(): string {
  return `SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate, o_shippriority
FROM customer, orders, lineitem
WHERE c_mktsegment = 'BUILDING'
  AND c_custkey = o_custkey
  AND l_orderkey = o_orderkey
  AND o_orderdate < DATE '1995-03-15'
  AND l_shipdate > DATE '1995-03-15'
GROUP BY l_orderkey, o_orderdate, o_shippriority`;
}

function localRevenueQuery(): string {
  return `SELECT n_name, sum(l_extendedprice * (1 - l_discount)) AS revenue
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
GROUP BY n_name`;
}

function lateLinesQuery(): string {
  return `SELECT l_orderkey, l_linenumber, l_suppkey, l_receiptdate - l_commitdate AS days_late, l_extendedprice * (1 - l_discount) AS revenue
FROM lineitem
WHERE l_receiptdate > l_commitdate AND l_shipmode IN ('AIR', 'REG AIR')`;
}

function partModesQuery(): string {
  return `SELECT DISTINCT l_partkey, l_shipmode FROM lineitem`;
}

function orderRevenueQuery(): string {
  return `SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue
FROM lineitem
GROUP BY l_orderkey`;
}

function customerRevenueQuery(schema: string): string {
  return `SELECT o_custkey, count(*) AS orders, sum(revenue) AS revenue
FROM ${schema}.order_revenue JOIN orders ON l_orderkey = o_orderkey
GROUP BY o_custkey`;
}

function segmentRevenueQuery(schema: string): string {
  return `SELECT c_mktsegment, c_nationkey, count(*) AS customers, sum(revenue) AS revenue
FROM ${schema}.customer_revenue JOIN customer ON o_custkey = c_custkey
GROUP BY c_mktsegment, c_nationkey`;
}
