-- What is kept of a table's groups beside it is named and sized.

alter table freshet.dynamic_table
  -- The hidden table of the lake that changes are merged into, its rows and bytes; null while nothing is kept.
  add column kept_groups jsonb;
