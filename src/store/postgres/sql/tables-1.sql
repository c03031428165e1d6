-- The tables. A step that has been released is never edited.
-- Ids of resources and instances are never used twice, so that an id names one incarnation.
-- Tags, events and whatever else is only passed on are JSON in columns of text: it comes back as it was written.

create table meta (key text primary key, value text not null);

-- One row: where the log ends, and the ticking. Written only by who holds the lock of the log (lock.sql).
create table log_state (
  only_one boolean primary key default true check (only_one),
  last_seq bigint not null default 0,
  last_at bigint not null default 0,
  hidden bigint not null default 0,
  last_tick_at bigint,
  observed_since bigint not null default 0
) with (fillfactor = 50);
insert into log_state default values;

create table resource (
  id bigint generated always as identity primary key,
  level smallint not null,
  public_id text not null,
  parent bigint references resource (id),
  tags text not null,
  patient_tags text,
  created_at bigint not null,
  updated_at bigint not null,
  revision integer not null default 0,
  settled_instance bigint not null default 0,
  expected integer,
  modality text,
  first_at bigint,
  last_at bigint,
  instance_count integer not null default 0,
  unique (level, public_id)
) with (fillfactor = 70);
create index resource_parent on resource (parent);

create table origin (id bigint generated always as identity primary key, facts text not null unique);
create table series_origin (
  series bigint not null references resource (id),
  origin bigint not null references origin (id),
  primary key (series, origin)
);

create table instance (
  id bigint generated always as identity primary key,
  public_id text not null unique,
  series bigint not null references resource (id),
  tags text not null,
  file text not null,
  size_bytes bigint not null,
  sop_class text not null,
  transfer_syntax text not null,
  place integer,
  received_at bigint not null,
  origin bigint not null references origin (id)
);
create index instance_series on instance (series, id);
create index instance_file on instance (file);

-- One row for each resource that is not stable. An arrival moves `last_at` and leaves `check_at`, which the index
-- is on, alone: the tick re-arms lazily.
create table open_window (
  resource bigint primary key references resource (id),
  level smallint not null,
  opened_at bigint not null,
  last_at bigint not null,
  age_ms bigint not null,
  max_wait_ms bigint,
  check_at bigint not null
) with (fillfactor = 50);
create index open_window_check on open_window (check_at, level desc, resource);

-- What happened and has no number yet: numbers are given in the order in which commits can be seen.
create table pending_change (
  id bigint generated always as identity primary key,
  type smallint not null,
  resource bigint not null,
  public_id text not null,
  key text not null,
  patient text not null,
  series text,
  at bigint not null,
  origin bigint,
  event text,
  revision integer,
  newest_instance bigint
);

create table change (
  seq bigint primary key,
  type smallint not null,
  resource bigint not null,
  public_id text not null,
  key text not null,
  patient text not null,
  series text,
  at bigint not null,
  origin bigint,
  event text,
  revision integer,
  newest_instance bigint
);

create index change_stable on change (resource, seq) where type between 4 and 6;
create index change_removed on change (patient, seq) where type = 11;

create table subject (
  study text primary key,
  patient text not null,
  patient_id text not null,
  accession_number text not null
);
create index subject_patient on subject (patient);
create index subject_patient_id on subject (patient_id);
create index subject_accession on subject (accession_number);

create table trash (file text primary key);

create table node (
  name text primary key,
  version text not null,
  started_at bigint not null,
  seen_at bigint not null,
  is_draining boolean not null default false
) with (fillfactor = 50);

create table script_version (
  hash text primary key,
  code text not null,
  source_map text not null,
  created_at bigint not null
);

create table script (
  id bigint generated always as identity primary key,
  name text not null unique,
  state text not null,
  cursor bigint not null,
  version text not null references script_version (hash),
  subscriptions text not null,
  suspended_reason text,
  suspended_at bigint,
  memory_bytes bigint not null default 0,
  paused_at bigint,
  replay integer not null default 0,
  replay_until bigint not null default 0,
  beat_every_ms bigint,
  beat_at bigint
) with (fillfactor = 50);

-- States: 0 ready, 1 leased, 2 dead, 3 waits for its next try, 4 behind one that was tried and has not ended.
create table delivery (
  id bigint generated always as identity primary key,
  script bigint not null references script (id),
  callback text not null,
  seq bigint not null,
  key text not null,
  state smallint not null,
  attempt integer not null default 0,
  run_at bigint not null,
  lease_until bigint,
  node text,
  fence bigint not null default 0,
  replay integer not null default 0,
  version text,
  event text,
  ended_at bigint,
  reason text
) with (fillfactor = 70);
create index delivery_ready on delivery (script, id) where state = 0;
create index delivery_key on delivery (script, key, id) where state <> 2;
create index delivery_retry on delivery (script, run_at) where state = 3;
create index delivery_leased on delivery (script, lease_until) where state = 1;
create index delivery_holding on delivery (script, key, id)
  where state = 3 or state = 4 or (state = 0 and attempt > 0);
create index delivery_dead on delivery (id) where state = 2;
create index delivery_seq on delivery (seq);

create table finished (
  resource bigint not null,
  script bigint not null,
  callback text not null,
  revision integer not null,
  newest_instance bigint not null,
  seq bigint not null,
  primary key (resource, script, callback)
);

create table run (
  id bigint generated always as identity primary key,
  delivery bigint not null,
  script text not null,
  callback text not null,
  seq bigint not null,
  level smallint not null,
  public_id text not null,
  study text not null,
  attempt integer not null,
  attempts integer,
  version text not null,
  outcome text not null,
  reason text,
  ended_at bigint not null,
  duration_ms double precision not null,
  cpu_ms double precision not null,
  memory_bytes bigint not null,
  logs text not null,
  host_calls text not null
);
create index run_script on run (script, id);
create index run_study on run (study, id);
create index run_resource on run (public_id, id);
create index run_ended on run (ended_at);
create index run_well on run (id) where outcome in ('ok', 'skipped');
create index run_failed on run (id) where outcome <> 'ok';

-- Compared by their bytes, as keys are listed.
create table key_value (
  script text not null,
  key text collate "C" not null,
  value text not null,
  primary key (script, key)
);
