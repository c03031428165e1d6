-- What events tell of resources, as JSON put together from the tags in the rows.

create function level_name(p_level integer) returns text language sql immutable as $$
  select (array['Patient', 'Study', 'Series', 'Instance'])[p_level + 1]
$$;

-- A resource with those above it, the nearest first.
create function lineage(p_resource bigint) returns table (
  distance integer, id bigint, level integer, public_id text, tags text, patient_tags text
) language sql as $$
  with recursive above as (
    select 0 as distance, r.id, r.level, r.public_id, r.tags, r.patient_tags, r.parent
    from resource r where r.id = p_resource
    union all
    select a.distance + 1, r.id, r.level, r.public_id, r.tags, r.patient_tags, r.parent
    from above a join resource r on r.id = a.parent
  )
  select distance, id, level, public_id, tags, patient_tags from above
$$;

-- What deliveries about a resource are kept in order by: its study, or the patient itself.
create function key_of(p_resource bigint) returns text language sql as $$
  select public_id from lineage(p_resource) order by (level = 1) desc, distance limit 1
$$;

-- `level`, `id`, `tags`, and of those above: `parents`, `studyTags`, `patientTags`; a study's own patient's tags count.
create function family_facts(p_resource bigint) returns text language sql as $$
  select '{' || string_agg(facts, ',' order by distance) || coalesce(
    ',"parents":{' || string_agg(to_json(lower(level_name(level)))::text || ':' || to_json(public_id)::text, ','
      order by distance) filter (where distance > 0) || '}', '') || '}'
  from (
    select l.distance, l.level, l.public_id, case when l.distance = 0
      then '"level":' || to_json(level_name(l.level))::text || ',"id":' || to_json(l.public_id)::text || ',"tags":' || l.tags
      else '"' || lower(level_name(l.level)) || 'Tags":' || case when l.level = 0
        then coalesce((select s.patient_tags from lineage(p_resource) s where s.level = 1), l.tags) else l.tags end
      end as facts
    from lineage(p_resource) l
  ) f
$$;

-- The members of two objects, neither of them empty, in one.
create function json_joined(p_first text, p_second text) returns text language sql immutable as $$
  select left(p_first, -1) || ',' || substr(p_second, 2)
$$;

-- The series of a patient, of a study, or the series itself.
create function series_of(p_resource bigint) returns setof resource language sql as $$
  select s.* from resource r join resource s on s.id = r.id where r.id = p_resource and r.level = 2
  union all
  select s.* from resource r join resource s on s.parent = r.id where r.id = p_resource and r.level = 1
  union all
  select s.* from resource r join resource t on t.parent = r.id join resource s on s.parent = t.id
  where r.id = p_resource and r.level = 0
$$;

-- What came to a resource by the numbers of its instances: after `p_after`, up to `p_up_to`; lists have an end.
create function added_between(p_resource bigint, p_after bigint, p_up_to bigint)
returns table (facts text, newest bigint) language sql as $$
  with come as (
    select i.id, i.public_id, i.series from series_of(p_resource) s join instance i on i.series = s.id
    where i.id > p_after and i.id <= p_up_to
  ), new_series as (
    select s.id, s.public_id from series_of(p_resource) s
    where s.id in (select series from come)
      and not exists (select 1 from instance i where i.series = s.id and i.id <= p_after)
  )
  select json_build_object(
    'seriesCount', (select count(*) from new_series),
    'instanceCount', (select count(*) from come),
    'series', (select coalesce(json_agg(public_id), '[]') from (select public_id from new_series order by id limit 1000) n),
    'instances', (select coalesce(json_agg(public_id), '[]')
      from (select public_id from come order by series, id limit 1000) n)
  )::text, coalesce((select max(id) from come), p_after)
$$;

-- What a Stable* change tells, fixed in the statement that fires it.
create function stable_event(p_row resource, p_trigger text) returns table (event text, newest bigint) language sql as $$
  with series as (select * from series_of(p_row.id)),
    added as (select * from added_between(p_row.id, p_row.settled_instance, 9223372036854775807))
  select json_joined(family_facts(p_row.id), json_build_object(
    'counts', json_build_object(
      'studies', (select case when p_row.level = 0 then count(distinct parent) else 1 end from series),
      'series', (select count(*) from series),
      'instances', (select coalesce(sum(instance_count), 0) from series)),
    'modalities', (select coalesce(json_agg(distinct modality order by modality) filter (where modality is not null), '[]')
      from (select modality collate "C" as modality from series) m),
    'origins', (select coalesce(json_agg(facts::json order by first_place), '[]') from (
      select o.facts, min(place) as first_place from (
        select x.origin, row_number() over (order by s.id, x.origin) as place
        from series s join series_origin x on x.series = s.id) p
      join origin o on o.id = p.origin group by o.facts) o),
    'firstArrival', iso_time((select min(coalesce(first_at, created_at)) from series)),
    'lastArrival', iso_time((select max(coalesce(last_at, created_at)) from series)),
    'revision', p_row.revision + 1,
    'added', added.facts::json,
    'trigger', p_trigger)::text), added.newest
  from added
$$;
