-- What a table could not keep, because it was suspended or had another target lag, is no missed lag.

alter table freshet.dynamic_table
  -- When its schedule went on last, or its target lag was changed; null if neither has happened.
  add column lag_counted_from timestamptz;
