-- Deletes resources: the rows, the parents that are left empty, the Deleted* changes, and the names of the files,
-- which are unlinked only after the commit. Needs the lock of the log.

-- Locks a resource, all below it and all above it, in the order of their rows.
create function lock_family(p_resource bigint) returns void language sql as $$
  with recursive below as (
    select p_resource as id
    union all
    select r.id from below b join resource r on r.parent = b.id
  )
  select 1 from resource where id in (select id from below union select id from lineage(p_resource)) order by id for update
$$;

-- p_instance: one of the series; null: all.
create function drop_instances(p_now bigint, p_series bigint, p_instance bigint) returns void language plpgsql as $$
declare
  v_key text := key_of(p_series);
  v_patient text := ancestor(p_series, 0);
  v_series text := ancestor(p_series, 2);
  v_parents text;
begin
  select '{' || string_agg(to_json(lower(level_name(level)))::text || ':' || to_json(public_id)::text, ',' order by level) || '}'
  into v_parents from lineage(p_series);
  insert into pending_change (type, resource, public_id, key, patient, series, at, event)
    select 11, i.id, i.public_id, v_key, v_patient, v_series, p_now,
      '{"level":"Instance","id":' || to_json(i.public_id)::text || ',"tags":' || i.tags || ',"parents":' || v_parents || '}'
    from instance i where i.series = p_series and (p_instance is null or i.id = p_instance) order by i.id;
  insert into trash
    select file from instance where series = p_series and (p_instance is null or id = p_instance) and file <> ''
    on conflict do nothing;
  delete from instance where series = p_series and (p_instance is null or id = p_instance);
end
$$;

-- From the bottom: the log tells of the instances before their series.
create function remove_tree(p_now bigint, p_resource bigint) returns void language plpgsql as $$
declare
  v_row resource;
  v_facts text := family_facts(p_resource);
  v_each bigint;
begin
  select * into v_row from resource where id = p_resource;
  if v_row.level = 2 then
    perform drop_instances(p_now, p_resource, null);
  else
    for v_each in select id from resource where parent = p_resource order by id loop
      perform remove_tree(p_now, v_each);
    end loop;
  end if;
  perform append_change(p_now, 8 + v_row.level, p_resource, v_row.public_id, p_resource, v_facts);
  delete from open_window where resource = p_resource;
  if found then
    perform check_ancestors(p_now, p_resource);
  end if;
  delete from series_origin where series = p_resource;
  delete from finished where resource = p_resource;
  delete from resource where id = p_resource;
  -- Scripts are still to be told of the deletion, and those runs are searched for, too.
  if v_row.level = 1 and not exists (select 1 from script) then
    perform forget_subjects(array[v_row.public_id]);
  end if;
end
$$;

-- Returns the nearest that is still there.
create function remove_empty_parents(p_now bigint, p_resource bigint) returns bigint language plpgsql as $$
declare
  v_each bigint := p_resource;
  v_parent bigint;
begin
  while v_each is not null loop
    if exists (select 1 from resource where parent = v_each) or exists (select 1 from instance where series = v_each) then
      update resource set updated_at = p_now where id in (select id from lineage(v_each));
      return v_each;
    end if;
    select parent into v_parent from resource where id = v_each;
    perform remove_tree(p_now, v_each);
    v_each := v_parent;
  end loop;
  return null;
end
$$;

create function remove_instance(p_now bigint, p_id text) returns bigint language plpgsql as $$
declare
  v_row instance;
begin
  select * into v_row from instance where public_id = p_id;
  if not found then
    return null;
  end if;
  perform lock_family(v_row.series);
  perform drop_instances(p_now, v_row.series, v_row.id);
  update resource set instance_count = instance_count - 1 where id = v_row.series;
  return remove_empty_parents(p_now, v_row.series);
end
$$;

-- No row: no such resource. Otherwise the closest parent that is still there, or nulls.
create function remove(p_now bigint, p_level integer, p_id text) returns table (level integer, id text) language plpgsql as $$
declare
  v_now bigint;
  v_row resource;
  v_left bigint;
begin
  perform lock_log();
  v_now := now_ms(p_now);
  if p_level = 3 then
    if not exists (select 1 from instance i where i.public_id = p_id) then
      return;
    end if;
    v_left := remove_instance(v_now, p_id);
  else
    select * into v_row from resource r where r.level = p_level and r.public_id = p_id;
    if not found then
      return;
    end if;
    perform lock_family(v_row.id);
    perform remove_tree(v_now, v_row.id);
    v_left := remove_empty_parents(v_now, v_row.parent);
  end if;
  perform number_changes();
  return query select r.level::integer, r.public_id from (values (1)) one left join resource r on r.id = v_left;
end
$$;
