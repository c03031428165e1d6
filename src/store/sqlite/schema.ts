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
  `
  alter table script add column paused_at integer;
  alter table script add column replay integer not null default 0;
  alter table script add column replay_until integer not null default 0;
  alter table script add column beat_every_ms integer;
  alter table script add column beat_at integer;
  alter table change add column revision integer;
  alter table change add column newest_instance integer;
  update change set revision = json_extract(event, '$.revision') where type between 4 and 6;
  create index change_removed on change (json_extract(event, '$.parents.patient'), seq) where type = 11;

  alter table delivery add column replay integer not null default 0;
  alter table delivery add column version text;
  alter table delivery add column event text;
  alter table delivery add column ended_at integer;
  create index delivery_dead on delivery (id) where state = 2;
  create index delivery_seq on delivery (seq);

  create table finished (
    resource integer not null,
    script integer not null,
    callback text not null,
    revision integer not null,
    newest_instance integer not null,
    seq integer not null,
    primary key (resource, script, callback)
  ) without rowid;

  insert into finished
    select c.resource, s.id, json_extract(t.value, '$.callback'), c.revision, r.settled_instance, c.seq
    from change c join resource r on r.id = c.resource and r.revision = c.revision and c.type = 4 + r.level
    join script s on s.cursor >= c.seq join json_each(s.subscriptions) t
      on json_extract(t.value, '$.type') = case r.level when 0 then 'StablePatient' when 1 then 'StableStudy' else 'StableSeries' end
    where c.type between 4 and 6 and not exists (
      select 1 from delivery d where d.seq = c.seq and d.script = s.id and d.callback = json_extract(t.value, '$.callback'));

  create table subject (
    study text primary key,
    patient text not null,
    patient_id text not null,
    accession_number text not null
  ) without rowid;
  create index subject_patient on subject (patient);
  create index subject_patient_id on subject (patient_id);
  create index subject_accession on subject (accession_number);
  insert into subject
    select s.public_id, p.public_id, coalesce(json_extract(s.patient_tags, '$.PatientID'), ''),
      coalesce(json_extract(s.tags, '$.AccessionNumber'), '')
    from resource s join resource p on p.id = s.parent where s.level = 1;

  alter table run add column attempts integer;
  alter table run add column study text not null default '';
  update run set study = coalesce((select key from change c where c.seq = run.seq), '');
  create index run_script on run (script, id);
  create index run_study on run (study, id);
  create index run_resource on run (public_id, id);
  create index run_ended on run (ended_at);
  create index run_well on run (id) where outcome in ('ok', 'skipped');
  create index run_failed on run (id) where outcome <> 'ok';
  `,
  `
  drop index delivery_key;
  drop index delivery_retry;
  create index delivery_key on delivery (script, key, id) where state <> 2;
  create index delivery_retry on delivery (run_at) where state = 3;
  create index delivery_holding on delivery (script, key, id)
    where state = 3 or state = 4 or (state = 0 and attempt > 0);
  update delivery set state = 3 where state = 0 and attempt > 0;
  `,
  `
  create index change_stable on change (resource, seq) where type between 4 and 6;
  `,
  `
  alter table window add column elsewhere integer not null default 0;
  alter table window add column held_due integer;
  create index window_held on window (held_due) where held_due is not null;

  create table relay (
    only_one integer primary key check (only_one = 1),
    cursor integer not null,
    fence integer not null,
    holder text not null,
    held_until integer not null
  );

  create table command (id text primary key, at integer not null) without rowid;
  create index command_at on command (at);
  `,
  `
  alter table run add column event text;
  `,
  `
  alter table script add column concurrency integer not null default 1;
  `,
]
