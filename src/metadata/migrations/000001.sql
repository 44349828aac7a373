-- What Freshet remembers besides the lake: a cache of the lake's state rows, and the history of what was done.

-- A dynamic table as it was defined. `state` is for statements that were cut off: whoever comes next completes or undoes them.
create table freshet.dynamic_table (
  name text primary key,
  -- Run id of the workflow that created it; `created_by` is that workflow's id.
  incarnation uuid not null unique,
  created_by text not null,
  state text not null check (state in ('creating', 'active', 'dropping')),
  definition jsonb not null,
  columns jsonb not null,
  sources text[] not null,
  mode text not null check (mode in ('incremental', 'full')),
  reasons text[] not null,
  -- What the contents answer for: `fresh_at` is when this version was the newest of the lake.
  data_version bigint,
  fresh_at timestamptz,
  row_count bigint,
  created_at timestamptz not null default now()
);

-- "U at v": the snapshot at which a table's contents for each data version in [data_version, until_version] can be read.
-- The interval grows only while no base table below has changed. Derivable from the lake's state rows by time travel.
create table freshet.publication (
  dynamic_table text not null references freshet.dynamic_table (name) on delete cascade,
  incarnation uuid not null,
  data_version bigint not null,
  until_version bigint not null check (until_version >= data_version),
  snapshot bigint not null,
  generation bigint not null,
  contents bigint not null,
  row_count bigint not null,
  published_at timestamptz not null default now(),
  primary key (dynamic_table, incarnation, data_version)
);

-- The snapshot that every table ticking at one nominal time reads: written once, by whoever comes first.
create table freshet.rung (
  nominal_time timestamptz primary key,
  data_version bigint not null,
  chosen_at timestamptz not null default now()
);

-- Every refresh, for as long as the user wants. Ticks with nothing new are one row with a count.
create table freshet.refresh (
  id bigint generated always as identity primary key,
  dynamic_table text not null,
  incarnation uuid,
  -- The run id of the apply; null when nothing was applied.
  refresh_id text unique,
  trigger text not null check (trigger in ('schedule', 'manual', 'upstream', 'create')),
  action text check (action in ('NO_DATA', 'INITIAL', 'INCREMENTAL', 'FULL', 'REINITIALIZE')),
  reason text,
  data_version bigint,
  sources jsonb not null default '[]',
  changed_rows bigint,
  affected_keys bigint,
  ratio double precision,
  rows_deleted bigint,
  rows_inserted bigint,
  recomputed text check (recomputed in ('none', 'keys', 'all')),
  rows_scanned bigint,
  row_count bigint,
  -- Milliseconds by phase, and of every SQL statement.
  phases jsonb not null default '{}',
  statements jsonb not null default '[]',
  share_outside_sql double precision,
  workflow_id text not null,
  run_id text not null,
  error_code text,
  error text,
  ticks integer not null default 1,
  started_at timestamptz not null,
  finished_at timestamptz not null
);

create index refresh_by_table on freshet.refresh (dynamic_table, id desc);

-- A table compared with its query, and the first rows in which they differ.
create table freshet.verification (
  id bigint generated always as identity primary key,
  dynamic_table text not null,
  incarnation uuid not null,
  verdict text not null check (verdict in ('equal', 'different', 'history-changed')),
  data_version bigint not null,
  snapshot bigint not null,
  row_count bigint not null,
  missing bigint not null,
  unexpected bigint not null,
  note text,
  columns text[] not null,
  differences jsonb not null default '[]',
  milliseconds double precision not null,
  verified_at timestamptz not null default now()
);

create index verification_by_table on freshet.verification (dynamic_table, id desc);
