-- Reads resources: one, many, relatives.

-- Null: there is none.
create function parent_resource(p_level integer, p_id text) returns json language sql as $$
  select json_build_object(
    'id', r.public_id,
    'parent', (select p.public_id from resource p where p.id = r.parent),
    'children', case when r.level = 2
      then (select coalesce(json_agg(i.public_id order by i.id), '[]') from instance i where i.series = r.id)
      else (select coalesce(json_agg(c.public_id order by c.id), '[]') from resource c where c.parent = r.id) end,
    'tags', r.tags,
    'patientTags', r.patient_tags,
    'isStable', not exists (select 1 from open_window w where w.resource = r.id),
    'revision', r.revision,
    'updatedAtMs', r.updated_at,
    'expectedInstances', r.expected,
    'indexes', case when r.level = 2
      then (select coalesce(json_agg(i.place order by i.id), '[]') from instance i where i.series = r.id)
      else '[]'::json end)
  from resource r where r.level = p_level and r.public_id = p_id
$$;

create function instance_resource(p_id text) returns json language sql as $$
  select json_build_object(
    'id', i.public_id,
    'parent', s.public_id,
    'tags', i.tags,
    'file', i.file,
    'sizeBytes', i.size_bytes,
    'indexInSeries', i.place,
    'transferSyntaxUid', i.transfer_syntax,
    'sopClassUid', i.sop_class,
    'receivedAtMs', i.received_at,
    'origin', o.facts)
  from instance i join resource s on s.id = i.series join origin o on o.id = i.origin
  where i.public_id = p_id
$$;

-- The resource at `p_level` above another, or the other itself.
create function ancestor(p_resource bigint, p_level integer) returns text language sql as $$
  select public_id from lineage(p_resource) where level = p_level
$$;

-- All at a level below, in the order of their first arrival.
create function below(p_resource bigint, p_level integer) returns setof text language sql as $$
  with recursive tree as (
    select r.id, r.level, r.public_id, array[r.id] as path from resource r where r.id = p_resource
    union all
    select r.id, r.level, r.public_id, t.path || r.id from tree t join resource r on r.parent = t.id
    where t.level < least(p_level, 2)
  )
  select public_id from (
    select t.public_id, t.path, 0::bigint as instance from tree t where t.level = p_level
    union all
    select i.public_id, t.path, i.id from tree t join instance i on i.series = t.id where p_level = 3 and t.level = 2
  ) found order by path, instance
$$;

-- Null: no such resource.
create function related(p_from integer, p_id text, p_level integer) returns text[] language plpgsql as $$
declare
  v_resource bigint;
begin
  if p_from = 3 then
    select series into v_resource from instance where public_id = p_id;
  else
    select id into v_resource from resource where level = p_from and public_id = p_id;
  end if;
  if v_resource is null then
    return null;
  elsif p_level = p_from then
    return array[p_id];
  elsif p_level < p_from then
    return array[ancestor(v_resource, p_level)];
  end if;
  return array(select below(v_resource, p_level));
end
$$;
