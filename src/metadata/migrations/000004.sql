-- What a table has missed while it was suspended is no missed lag.

alter table freshet.dynamic_table
  -- When its schedule went on last after it had stood still; null if it never has.
  add column resumed_at timestamptz;
