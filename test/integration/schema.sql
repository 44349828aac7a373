create table freshet.dynamic_table (
  name text not null,
  incarnation uuid not null,
  created_by text not null,
  state text not null,
  definition jsonb not null,
  columns jsonb not null,
  sources text[] not null,
  mode text not null,
  reasons text[] not null,
  data_version bigint,
  fresh_at timestamp with time zone,
  row_count bigint,
  created_at timestamp with time zone not null default now(),
  failures_in_a_row integer not null default 0,
  suspension jsonb,
  lag_missed_at timestamp with time zone,
  kept_groups jsonb,
  lag_counted_from timestamp with time zone,
  constraint dynamic_table_incarnation_key UNIQUE (incarnation),
  constraint dynamic_table_mode_check CHECK ((mode = ANY (ARRAY['incremental'::text, 'full'::text]))),
  constraint dynamic_table_pkey PRIMARY KEY (name),
  constraint dynamic_table_state_check CHECK ((state = ANY (ARRAY['creating'::text, 'active'::text, 'dropping'::text])))
);

create table freshet.migration (
  number integer not null,
  applied_at timestamp with time zone not null default now(),
  constraint migration_pkey PRIMARY KEY (number)
);

create table freshet.publication (
  dynamic_table text not null,
  incarnation uuid not null,
  data_version bigint not null,
  until_version bigint not null,
  snapshot bigint not null,
  generation bigint not null,
  contents bigint not null,
  row_count bigint not null,
  published_at timestamp with time zone not null default now(),
  constraint publication_check CHECK ((until_version >= data_version)),
  constraint publication_dynamic_table_fkey FOREIGN KEY (dynamic_table) REFERENCES dynamic_table(name) ON DELETE CASCADE,
  constraint publication_pkey PRIMARY KEY (dynamic_table, incarnation, data_version)
);

create table freshet.refresh (
  id bigint not null generated always as identity,
  dynamic_table text not null,
  incarnation uuid,
  refresh_id text,
  trigger text not null,
  action text,
  reason text,
  data_version bigint,
  sources jsonb not null default '[]'::jsonb,
  changed_rows bigint,
  affected_keys bigint,
  ratio double precision,
  rows_deleted bigint,
  rows_inserted bigint,
  recomputed text,
  rows_scanned bigint,
  row_count bigint,
  phases jsonb not null default '{}'::jsonb,
  statements jsonb not null default '[]'::jsonb,
  share_outside_sql double precision,
  workflow_id text not null,
  run_id text not null,
  error_code text,
  error text,
  ticks integer not null default 1,
  started_at timestamp with time zone not null,
  finished_at timestamp with time zone not null,
  has_suspended boolean not null default false,
  constraint refresh_action_check CHECK ((action = ANY (ARRAY['NO_DATA'::text, 'INITIAL'::text, 'INCREMENTAL'::text, 'FULL'::text, 'REINITIALIZE'::text]))),
  constraint refresh_pkey PRIMARY KEY (id),
  constraint refresh_recomputed_check CHECK ((recomputed = ANY (ARRAY['none'::text, 'keys'::text, 'all'::text]))),
  constraint refresh_refresh_id_key UNIQUE (refresh_id),
  constraint refresh_trigger_check CHECK ((trigger = ANY (ARRAY['schedule'::text, 'manual'::text, 'upstream'::text, 'create'::text])))
);
CREATE INDEX refresh_by_table ON freshet.refresh USING btree (dynamic_table, id DESC);

create table freshet.rung (
  nominal_time timestamp with time zone not null,
  data_version bigint not null,
  chosen_at timestamp with time zone not null default now(),
  constraint rung_pkey PRIMARY KEY (nominal_time)
);

create table freshet.verification (
  id bigint not null generated always as identity,
  dynamic_table text not null,
  incarnation uuid not null,
  verdict text not null,
  data_version bigint not null,
  snapshot bigint not null,
  row_count bigint not null,
  missing bigint not null,
  unexpected bigint not null,
  note text,
  columns text[] not null,
  differences jsonb not null default '[]'::jsonb,
  milliseconds double precision not null,
  verified_at timestamp with time zone not null default now(),
  constraint verification_pkey PRIMARY KEY (id),
  constraint verification_verdict_check CHECK ((verdict = ANY (ARRAY['equal'::text, 'different'::text, 'history-changed'::text])))
);
CREATE INDEX verification_by_table ON freshet.verification USING btree (dynamic_table, id DESC);
