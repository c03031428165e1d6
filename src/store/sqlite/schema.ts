/**
 * The tables, as numbered steps. A step that has been released is never edited.
 * Ids of resources and instances are never used twice, so that an id names one incarnation.
 */
export const migrations: readonly string[] = [
  `
  create table meta (key text primary key, value) without rowid;

  create table resource (
    id integer primary key autoincrement,
    level integer not null,
    public_id text not null,
    parent integer references resource (id),
    tags text not null,
    patient_tags text,
    created_at integer not null,
    updated_at integer not null,
    revision integer not null default 0,
    settled_instance integer not null default 0,
    expected integer,
    modality text,
    first_at integer,
    last_at integer,
    instance_count integer not null default 0,
    unique (level, public_id)
  );
  create index resource_parent on resource (parent);

  create table origin (id integer primary key, facts text not null unique);
  create table series_origin (
    series integer not null references resource (id),
    origin integer not null references origin (id),
    primary key (series, origin)
  ) without rowid;

  create table instance (
    id integer primary key autoincrement,
    public_id text not null unique,
    series integer not null references resource (id),
    tags text not null,
    file text not null,
    size_bytes integer not null,
    sop_class text not null,
    transfer_syntax text not null,
    place integer,
    received_at integer not null,
    origin integer not null references origin (id)
  );
  create index instance_series on instance (series);
  create index instance_file on instance (file);

  create table window (
    resource integer primary key references resource (id),
    level integer not null,
    opened_at integer not null,
    last_at integer not null,
    age_ms integer not null,
    max_wait_ms integer,
    check_at integer not null
  );
  create index window_check on window (check_at, level desc);

  create table change (
    seq integer primary key autoincrement,
    type integer not null,
    resource integer not null,
    public_id text not null,
    key text not null,
    at integer not null,
    origin integer,
    event text
  );

  create table script_version (
    hash text primary key,
    code text not null,
    source_map text not null,
    created_at integer not null
  );
  create table script (
    id integer primary key,
    name text not null unique,
    state text not null,
    cursor integer not null,
    version text not null references script_version (hash),
    subscriptions text not null
  );

  create table delivery (
    id integer primary key autoincrement,
    script integer not null references script (id),
    callback text not null,
    seq integer not null,
    key text not null,
    state integer not null,
    attempt integer not null default 0,
    run_at integer not null,
    lease_until integer,
    fence integer not null default 0,
    reason text
  );
  create index delivery_ready on delivery (script, id) where state = 0;
  create index delivery_key on delivery (script, key, id) where state < 2;
  create index delivery_retry on delivery (run_at) where state = 0 and attempt > 0;
  create index delivery_leased on delivery (lease_until) where state = 1;

  create table run (
    id integer primary key autoincrement,
    delivery integer not null,
    script text not null,
    callback text not null,
    seq integer not null,
    level integer not null,
    public_id text not null,
    attempt integer not null,
    version text not null,
    outcome text not null,
    reason text,
    ended_at integer not null,
    duration_ms real not null,
    cpu_ms real not null,
    memory_bytes integer not null,
    logs text not null,
    host_calls text not null
  );

  create table key_value (
    script text not null,
    key text not null,
    value text not null,
    primary key (script, key)
  ) without rowid;

  create table trash (file text primary key) without rowid;
  `,
  `
  alter table script add column suspended_reason text;
  alter table script add column suspended_at integer;
  alter table script add column memory_bytes integer not null default 0;
  update script set memory_bytes = (
    select coalesce(sum(octet_length(key) + octet_length(value)), 0) from key_value k where k.script = script.name);
  `,
]
