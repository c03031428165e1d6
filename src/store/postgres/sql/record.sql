-- Records arrivals, some at a time: resources, instances, windows and New* changes, in one statement. The resources
-- that they belong to are locked, in the order of their rows, before anything of them is read or written: whoever
-- fires or deletes locks them first, too, so numbers of instances rise with the commits of their study.

create function arrivals(p_arrivals json) returns table (
  ord integer, instance_id text, series_id text, study_id text, patient_id text, instance_tags json, series_tags json,
  study_tags json, patient_tags json, modality text, dicom_patient_id text, accession_number text, expected integer,
  place integer, sop_class text, transfer_syntax text, file text, size_bytes bigint, origin text, ages json,
  when_held text
) language sql immutable as $$
  select * from json_to_recordset(p_arrivals) as a (
    ord integer, instance_id text, series_id text, study_id text, patient_id text, instance_tags json,
    series_tags json, study_tags json, patient_tags json, modality text, dicom_patient_id text, accession_number text,
    expected integer, place integer, sop_class text, transfer_syntax text, file text, size_bytes bigint, origin text,
    ages json, when_held text)
$$;

-- One row for each arrival and each of its three parents.
create function touches(p_arrivals json, p_ords integer[]) returns table (
  ord integer, level integer, public_id text, age_ms bigint, max_wait_ms bigint
) language sql immutable as $$
  select a.ord, l.level, l.public_id, (a.ages -> l.name ->> 'ageMs')::bigint, (a.ages -> l.name ->> 'maxWaitMs')::bigint
  from arrivals(p_arrivals) a, lateral (values
    (0, 'Patient', a.patient_id), (1, 'Study', a.study_id), (2, 'Series', a.series_id)) l (level, name, public_id)
  where a.ord = any (p_ords)
$$;

-- p_arrivals: a list in which no instance comes twice, with `ord` from 1 on.
-- Returns the places of those that were stored; the others were held already.
create function record(p_now bigint, p_arrivals json) returns integer[] language plpgsql as $$
declare
  v_now bigint := now_ms(p_now);
  v_fresh integer[];
  v_stored integer[];
  v_new text[] := '{}';
  v_some text[];
  v_held text;
begin
  select coalesce(array_agg(a.instance_id order by a.ord), '{}') into v_some
  from arrivals(p_arrivals) a join instance i on i.public_id = a.instance_id
  where a.when_held = 'replace' and i.file <> a.file;
  if v_some <> '{}' then
    perform lock_log();
    foreach v_held in array v_some loop
      perform remove_instance(v_now, v_held);
    end loop;
  end if;

  v_fresh := not_held(p_arrivals, null);
  if v_fresh <> '{}' then
    -- From the top, since each needs the one above it.
    for v_level in 0..2 loop
      v_some := make_parents(v_now, p_arrivals, v_fresh, v_level);
      v_new := v_new || v_some;
    end loop;
    perform 1 from resource where (level, public_id) in (select t.level, t.public_id from touches(p_arrivals, v_fresh) t)
      order by id for no key update;
    -- They may have been waited for.
    v_now := now_ms(p_now);
    -- Another node may have had some of them meanwhile.
    v_fresh := not_held(p_arrivals, v_fresh);
    v_stored := record_fresh(v_now, p_arrivals, v_fresh, v_new);
    if cardinality(v_stored) <> cardinality(v_fresh) then
      raise exception 'What arrived was deleted or recorded by another' using errcode = '40001';
    end if;
  end if;
  -- One that is held under its own file was recorded before its answer was lost.
  return array(
    select a.ord from arrivals(p_arrivals) a join instance i on i.public_id = a.instance_id and i.file = a.file order by 1);
end
$$;

create function not_held(p_arrivals json, p_among integer[]) returns integer[] language sql as $$
  select coalesce(array_agg(a.ord order by a.ord), '{}') from arrivals(p_arrivals) a
  where (p_among is null or a.ord = any (p_among))
    and not exists (select 1 from instance i where i.public_id = a.instance_id)
$$;

-- Returns the identifiers of those that are new.
create function make_parents(p_now bigint, p_arrivals json, p_ords integer[], p_level integer)
returns text[] language sql as $$
  with wanted as (
    select distinct on (l.public_id) l.*, above.id as parent
    from arrivals(p_arrivals) a, lateral (values
      (0, a.patient_id, null, a.patient_tags, null, null, null),
      (1, a.study_id, a.patient_id, a.study_tags, a.patient_tags, null, null),
      (2, a.series_id, a.study_id, a.series_tags, null, a.expected, a.modality)
    ) l (level, public_id, parent_id, tags, patient_tags, expected, modality)
    left join resource above on above.level = l.level - 1 and above.public_id = l.parent_id
    where a.ord = any (p_ords) and l.level = p_level and (l.parent_id is null or above.id is not null)
    order by l.public_id, a.ord
  ), made as (
    insert into resource (level, public_id, parent, tags, patient_tags, created_at, updated_at, expected, modality)
    select level, public_id, parent, tags::text, patient_tags::text, p_now, p_now, expected, modality
    from wanted order by public_id
    on conflict (level, public_id) do nothing
    returning public_id
  )
  select coalesce(array_agg(public_id), '{}') from made
$$;

create function record_fresh(p_now bigint, p_arrivals json, p_ords integer[], p_new text[])
returns integer[] language plpgsql as $$
declare
  v_stored integer[];
begin
  insert into origin (facts)
    select distinct a.origin from arrivals(p_arrivals) a where a.ord = any (p_ords) order by 1
    on conflict (facts) do nothing;

  with made as (
    insert into instance (public_id, series, tags, file, size_bytes, sop_class, transfer_syntax, place, received_at, origin)
    select a.instance_id, s.id, a.instance_tags::text, a.file, a.size_bytes, a.sop_class, a.transfer_syntax, a.place,
      p_now, o.id
    from arrivals(p_arrivals) a
    join resource s on s.level = 2 and s.public_id = a.series_id
    join origin o on o.facts = a.origin
    where a.ord = any (p_ords) order by a.ord
    on conflict (public_id) do nothing
    returning public_id
  )
  select coalesce(array_agg(a.ord order by a.ord), '{}') into v_stored
  from arrivals(p_arrivals) a join made on made.public_id = a.instance_id;

  insert into open_window (resource, level, opened_at, last_at, age_ms, max_wait_ms, check_at)
    select r.id, t.level, p_now, p_now, max(t.age_ms), min(t.max_wait_ms),
      p_now + least(max(t.age_ms), min(t.max_wait_ms))
    from touches(p_arrivals, v_stored) t join resource r on r.level = t.level and r.public_id = t.public_id
    group by r.id, t.level order by r.id
    on conflict (resource) do update set
      last_at = greatest(open_window.last_at, excluded.last_at),
      age_ms = greatest(open_window.age_ms, excluded.age_ms),
      max_wait_ms = least(open_window.max_wait_ms, excluded.max_wait_ms),
      check_at = least(open_window.check_at, open_window.opened_at + least(open_window.max_wait_ms, excluded.max_wait_ms));

  insert into series_origin
    select distinct s.id, o.id from arrivals(p_arrivals) a
    join resource s on s.level = 2 and s.public_id = a.series_id
    join origin o on o.facts = a.origin
    where a.ord = any (v_stored)
    on conflict do nothing;

  update resource r set
    updated_at = p_now,
    instance_count = r.instance_count + case when r.level = 2 then t.arrivals else 0 end,
    first_at = case when r.level = 2 then coalesce(r.first_at, p_now) end,
    last_at = case when r.level = 2 then p_now end
  from (
    select t.level, t.public_id, count(*)::integer as arrivals from touches(p_arrivals, v_stored) t group by 1, 2
  ) t
  where r.level = t.level and r.public_id = t.public_id and (r.level = 2 or r.updated_at <> p_now);

  insert into subject
    select distinct on (a.study_id) a.study_id, a.patient_id, a.dicom_patient_id, a.accession_number
    from arrivals(p_arrivals) a where a.ord = any (v_stored) and a.study_id = any (p_new) order by a.study_id, a.ord
    on conflict (study) do update set patient = excluded.patient, patient_id = excluded.patient_id,
      accession_number = excluded.accession_number;

  insert into pending_change (type, resource, public_id, key, patient, series, at, origin)
    select type, resource, public_id, key, patient, series, p_now, origin
    from new_changes(p_arrivals, v_stored, p_new) order by ord, place;
  return v_stored;
end
$$;

-- The changes of arrivals in Orthanc's order: the instance, what is new above it, and whether its series is complete.
create function new_changes(p_arrivals json, p_ords integer[], p_new text[]) returns table (
  ord integer, place integer, type integer, resource bigint, public_id text, key text, patient text, series text,
  origin bigint
) language sql as $$
  with come as (
    select a.ord, a.instance_id, a.series_id, a.study_id, a.patient_id, i.id as instance, i.series, i.origin,
      row_number() over (partition by i.series order by a.ord) as nth, count(*) over (partition by i.series) as of_series
    from arrivals(p_arrivals) a join instance i on i.public_id = a.instance_id
    where a.ord = any (p_ords)
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
  where s.instance_count - c.of_series + c.nth = s.expected and s.expected = (
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
