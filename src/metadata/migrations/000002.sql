-- Tables whose scheduled refreshes keep failing stand still, and say why.

alter table freshet.dynamic_table
  -- Failed scheduled runs since the last success.
  add column failures_in_a_row integer not null default 0,
  -- Why its schedule stands still; null while it does not. `kind` says what stopped it; "failures": too many of them in a row.
  add column suspension jsonb,
  -- Since when scheduled runs have found its contents older than its target lag; null while they don't.
  add column lag_missed_at timestamptz;

alter table freshet.refresh
  -- Whether it is the failure after which the table was suspended.
  add column has_suspended boolean not null default false;
