-- Records arrivals, some at a time: resources, instances, windows and New* changes, in one statement. The resources
-- that they belong to are locked, in the order of their rows, before anything of them is read or written: whoever
-- fires or deletes locks them first, too, so numbers of instances rise with the commits of their study.

-- Tags are JSON.
create type arrival as (
  ord integer, instance_id text, series_id text, study_id text, patient_id text, instance_tags text, series_tags text,
  study_tags text, patient_tags text, modality text, dicom_patient_id text, accession_number text, expected integer,
  place integer, sop_class text, transfer_syntax text, file text, size_bytes bigint, origin text, when_held text,
  patient_age_ms bigint, patient_max_wait_ms bigint, study_age_ms bigint, study_max_wait_ms bigint,
  series_age_ms bigint, series_max_wait_ms bigint
);

-- p_arrivals: a list in which no instance comes twice, with `ord` from 1 on.
-- Returns the places of those that were stored; the others were held already.
create function record(p_now bigint, p_arrivals json) returns integer[] language plpgsql as $$
declare
  v_all arrival[] := array(select a from json_populate_recordset(null::arrival, p_arrivals) a order by a.ord);
  v_fresh arrival[];
  v_new text[] := '{}';
  -- Held elsewhere until now.
  v_there text[] := '{}';
  v_now bigint;
begin
  if cardinality(v_all) > 1 and exists (
    select 1 from unnest(v_all) a join instance i on i.public_id = a.instance_id
    where a.when_held = 'replace' and a.file <> '' and i.file not in ('', a.file))
  then
    return record_in_turn(p_now, v_all);
  end if;
  v_fresh := not_held(v_all);
  if cardinality(v_fresh) < cardinality(v_all) then
    v_there := array(
      select a.instance_id from unnest(v_all) a join instance i on i.public_id = a.instance_id
      where i.file = '' and a.file <> '');
    perform remove_replaced(p_now, v_all);
    v_fresh := not_held(v_all);
  end if;
  if v_fresh <> '{}' then
    v_now := now_ms(p_now);
    if exists (select 1 from unnest(v_fresh) a
      where not exists (select 1 from resource r where r.level = 2 and r.public_id = a.series_id))
    then
      -- From the top, since each needs the one above it.
      for v_level in 0..2 loop
        v_new := v_new || make_parents(v_now, v_fresh, v_level);
      end loop;
    end if;
    perform lock_parents(array(select distinct a.series_id from unnest(v_fresh) a));
    -- They may have been waited for, and another node may have had some of the instances meanwhile.
    v_now := now_ms(p_now);
    v_fresh := not_held(v_fresh);
    if exists (select 1 from unnest(v_all) a join instance i on i.public_id = a.instance_id
      where a.file <> '' and i.file = '')
    then
      raise exception 'Another has announced what is brought here' using errcode = '40001';
    end if;
    perform record_fresh(v_now, v_fresh, v_new, v_there);
    if cardinality(v_fresh) = cardinality(v_all) then
      return array(select a.ord from unnest(v_all) a);
    end if;
  end if;
  -- One that is held under its own file was recorded before its answer was lost.
  return array(
    select a.ord from unnest(v_fresh) a
    union
    select a.ord from unnest(v_all) a join instance i on i.public_id = a.instance_id and i.file = a.file
    where a.file <> '' order by 1);
end
$$;

-- Some come in the place of older ones: one after the other, so that none takes a study along that others come back to.
create function record_in_turn(p_now bigint, p_arrivals arrival[]) returns integer[] language plpgsql as $$
declare
  v_each arrival;
  v_stored integer[] := '{}';
begin
  -- Before any resource is: whoever deletes locks them in this order.
  perform lock_log();
  foreach v_each in array p_arrivals loop
    v_stored := v_stored || record(p_now, json_build_array(to_json(v_each)));
  end loop;
  return v_stored;
end
$$;

-- Those that come in the place of an older one. One that is held elsewhere (its file is '') gives way to any that brings
-- its bytes, and takes the place of none.
create function remove_replaced(p_now bigint, p_arrivals arrival[]) returns void language plpgsql as $$
declare
  v_each record;
begin
  for v_each in
    select a.instance_id, i.file from unnest(p_arrivals) a join instance i on i.public_id = a.instance_id
    where a.file <> '' and (a.when_held = 'replace' or i.file = '') and i.file <> a.file order by a.ord
  loop
    if v_each.file = '' then
      perform give_way(v_each.instance_id);
    else
      perform lock_log();
      perform remove_instance(now_ms(p_now), v_each.instance_id);
    end if;
  end loop;
end
$$;

-- Nothing is deleted, so nobody is told so: the same instance comes with its bytes.
create function give_way(p_id text) returns void language plpgsql as $$
declare
  v_series bigint;
begin
  select series into v_series from instance where public_id = p_id;
  perform lock_family(v_series);
  delete from instance where public_id = p_id and file = '';
  if found then
    update resource set instance_count = instance_count - 1 where id = v_series;
  end if;
end
$$;

create function not_held(p_arrivals arrival[]) returns arrival[] language sql as $$
  select coalesce(array_agg(a order by a.ord), '{}') from unnest(p_arrivals) a
  where not exists (select 1 from instance i where i.public_id = a.instance_id)
$$;

-- Locks series, their studies and their patients. What was deleted meanwhile has to be made again.
create function lock_parents(p_series text[]) returns void language plpgsql as $$
declare
  v_ids bigint[];
  v_locked integer;
begin
  with series as (select id, parent from resource where level = 2 and public_id = any (p_series)),
    study as (select distinct r.id, r.parent from series s join resource r on r.id = s.parent)
  select array(select id from series union all select id from study union select parent from study) into v_ids;
  perform 1 from resource where id = any (v_ids) order by id for no key update;
  get diagnostics v_locked = row_count;
  if v_locked <> cardinality(v_ids)
    or (select count(*) from resource where id = any (v_ids) and level = 2) <> cardinality(p_series)
  then
    raise exception 'What arrived was deleted by another' using errcode = '40001';
  end if;
end
$$;

-- Returns the identifiers of those that are new.
create function make_parents(p_now bigint, p_arrivals arrival[], p_level integer) returns text[] language sql as $$
  with first_of as (
    select distinct on (l.public_id) l.*, above.id as parent, a.ord
    from unnest(p_arrivals) a, lateral (values
      (0, a.patient_id, null, a.patient_tags, null, null, null),
      (1, a.study_id, a.patient_id, a.study_tags, a.patient_tags, null, null),
      (2, a.series_id, a.study_id, a.series_tags, null, a.expected, a.modality)
    ) l (level, public_id, parent_id, tags, patient_tags, expected, modality)
    left join resource above on above.level = l.level - 1 and above.public_id = l.parent_id
    where l.level = p_level and (l.parent_id is null or above.id is not null)
    order by l.public_id, a.ord
  ), wanted as (
    -- Their numbers tell in which order they came.
    select f.*, nextval(pg_get_serial_sequence('resource', 'id')) as id from (select * from first_of order by ord) f
  ), made as (
    -- In the same order on all nodes, so that two that make the same wait for each other once.
    insert into resource (id, level, public_id, parent, tags, patient_tags, created_at, updated_at, expected, modality)
    overriding system value
    select id, level, public_id, parent, tags, patient_tags, p_now, p_now, expected, modality
    from wanted order by public_id
    on conflict (level, public_id) do nothing
    returning public_id
  )
  select coalesce(array_agg(public_id), '{}') from made
$$;

-- The parents are there, and locked.
create function record_fresh(p_now bigint, p_arrivals arrival[], p_new text[], p_there text[]) returns void language plpgsql as $$
begin
  if exists (select 1 from unnest(p_arrivals) a where not exists (select 1 from origin o where o.facts = a.origin)) then
    insert into origin (facts) select distinct a.origin from unnest(p_arrivals) a order by 1 on conflict (facts) do nothing;
  end if;

  insert into instance (public_id, series, tags, file, size_bytes, sop_class, transfer_syntax, place, received_at, origin)
    select a.instance_id, s.id, a.instance_tags, a.file, a.size_bytes, a.sop_class, a.transfer_syntax, a.place, p_now, o.id
    from unnest(p_arrivals) a
    join resource s on s.level = 2 and s.public_id = a.series_id
    join origin o on o.facts = a.origin
    order by a.ord;

  insert into open_window (resource, level, opened_at, last_at, age_ms, max_wait_ms, check_at, elsewhere)
    select r.id, t.level, p_now, p_now, max(t.age_ms), min(t.max_wait_ms),
      p_now + least(max(t.age_ms), min(t.max_wait_ms)), bool_or(a.file = '')
    from unnest(p_arrivals) a, lateral (values
      (0, a.patient_id, a.patient_age_ms, a.patient_max_wait_ms),
      (1, a.study_id, a.study_age_ms, a.study_max_wait_ms),
      (2, a.series_id, a.series_age_ms, a.series_max_wait_ms)) t (level, public_id, age_ms, max_wait_ms)
    join resource r on r.level = t.level and r.public_id = t.public_id
    group by r.id, t.level order by r.id
    on conflict (resource) do update set
      last_at = greatest(open_window.last_at, excluded.last_at),
      age_ms = greatest(open_window.age_ms, excluded.age_ms),
      max_wait_ms = least(open_window.max_wait_ms, excluded.max_wait_ms),
      elsewhere = open_window.elsewhere or excluded.elsewhere,
      check_at = least(open_window.check_at, open_window.opened_at + least(open_window.max_wait_ms, excluded.max_wait_ms));

  insert into series_origin
    select distinct s.id, o.id from unnest(p_arrivals) a
    join resource s on s.level = 2 and s.public_id = a.series_id
    join origin o on o.facts = a.origin
    on conflict do nothing;

  update resource r set
    updated_at = p_now,
    instance_count = r.instance_count + case when t.level = 2 then t.arrivals else 0 end,
    first_at = case when t.level = 2 then coalesce(r.first_at, p_now) end,
    last_at = case when t.level = 2 then p_now end
  from (
    select l.level, l.public_id, count(*)::integer as arrivals from unnest(p_arrivals) a, lateral (values
      (0, a.patient_id), (1, a.study_id), (2, a.series_id)) l (level, public_id)
    group by 1, 2
  ) t
  where r.level = t.level and r.public_id = t.public_id and (t.level = 2 or r.updated_at <> p_now);

  if p_new <> '{}' then
    insert into subject
      select distinct on (a.study_id) a.study_id, a.patient_id, a.dicom_patient_id, a.accession_number
      from unnest(p_arrivals) a where a.study_id = any (p_new) order by a.study_id, a.ord
      on conflict (study) do update set patient = excluded.patient, patient_id = excluded.patient_id,
        accession_number = excluded.accession_number;
  end if;

  if p_new = '{}' and not exists (
    select 1 from unnest(p_arrivals) a join resource s on s.level = 2 and s.public_id = a.series_id
    where s.expected is not null)
  then
    -- What nearly all are: instances of series that are there.
    insert into pending_change (type, resource, public_id, key, patient, series, at, origin)
      select 3, i.id, i.public_id, a.study_id, a.patient_id, a.series_id, p_now, i.origin
      from unnest(p_arrivals) a join instance i on i.public_id = a.instance_id order by a.ord;
  else
    insert into pending_change (type, resource, public_id, key, patient, series, at, origin)
      select type, resource, public_id, key, patient, series, p_now, origin
      from new_changes(p_arrivals, p_new, p_there) order by ord, place;
  end if;
end
$$;

-- The changes of arrivals in Orthanc's order: the instance, what is new above it, and whether its series is complete.
create function new_changes(p_arrivals arrival[], p_new text[], p_there text[]) returns table (
  ord integer, place integer, type integer, resource bigint, public_id text, key text, patient text, series text,
  origin bigint
) language sql as $$
  with come as (
    select a.ord, a.instance_id, a.series_id, a.study_id, a.patient_id, i.id as instance, i.series, i.origin,
      row_number() over (partition by i.series order by a.ord) as nth, count(*) over (partition by i.series) as of_series
    from unnest(p_arrivals) a join instance i on i.public_id = a.instance_id
  ), first_of as (
    select distinct on (l.level, l.public_id)
      c.ord, l.level, l.public_id, l.key, c.patient_id, l.series_id, c.origin
    from come c, lateral (values
      (2, c.series_id, c.study_id, c.series_id), (1, c.study_id, c.study_id, null), (0, c.patient_id, c.patient_id, null)
    ) l (level, public_id, key, series_id)
    where l.public_id = any (p_new)
    order by l.level, l.public_id, c.ord
  )
  select c.ord, 1, 3, c.instance, c.instance_id, c.study_id, c.patient_id, c.series_id, c.origin from come c
  union all
  select f.ord, 4 - f.level, f.level, r.id, f.public_id, f.key, f.patient_id, f.series_id, f.origin
  from first_of f join resource r on r.level = f.level and r.public_id = f.public_id
  union all
  -- As many instances as announced, at places 1 to that number, none twice.
  select c.ord, 5, 7, s.id, c.series_id, c.study_id, c.patient_id, c.series_id, c.origin
  from come c join resource s on s.id = c.series
  -- One that was there completes nothing that was not complete before.
  where c.instance_id <> all (p_there) and s.instance_count - c.of_series + c.nth = s.expected and s.expected = (
    select count(distinct i.place) from instance i
    where i.series = s.id and i.id <= c.instance and i.place between 1 and s.expected)
$$;

-- Returns when none is at work any more of those that a server had begun before: some may be of a client that is gone.
create function wait_for_records(p_node text) returns void language plpgsql as $$
declare
  v_began timestamptz := clock_timestamp();
begin
  loop
    perform pg_stat_clear_snapshot();
    exit when not exists (
      select 1 from pg_stat_activity
      where application_name = p_node and pid <> pg_backend_pid() and state = 'active' and query_start < v_began
        and query like 'select record(%');
    perform pg_sleep(0.02);
  end loop;
end
$$;
