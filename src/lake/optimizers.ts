/**
 * Every optimizer rule of DuckDB 1.5.5 but `filter_pushdown`: what is left gives plans that depend on the query alone, never on
 * the data, and that serialise.
 */
export const binderOptimizersOff: readonly string[] = [
  'build_side_probe_side',
  'column_lifetime',
  'common_aggregate',
  'common_subexpressions',
  'common_subplan',
  'compressed_materialization',
  'cte_filter_pusher',
  'cte_inlining',
  'deliminator',
  'duplicate_groups',
  'empty_result_pullup',
  'expression_rewriter',
  'extension',
  'filter_pullup',
  'in_clause',
  'join_elimination',
  'join_filter_pushdown',
  'join_order',
  'late_materialization',
  'limit_pushdown',
  'materialized_cte',
  'regex_range',
  'reorder_filter',
  'row_group_pruner',
  'sampling_pushdown',
  'statistics_propagation',
  'sum_rewriter',
  'top_n',
  'top_n_window_elimination',
  'unnest_rewriter',
  'unused_columns',
  'window_self_join',
];

/** Time travel and the change feed lose rows under WHERE with this rule on: statistics are not versioned. */
export const computeOptimizersOff: readonly string[] = ['statistics_propagation'];
