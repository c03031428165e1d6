-- What a change tells, as JSON without its head. What can still change is fixed in its own row; the rest is put
-- together from rows that stay as they are while the resource exists.

create function instance_facts(p_instance instance) returns text language sql as $$
  select '{"level":"Instance","id":' || to_json(p_instance.public_id)::text || ',"tags":' || p_instance.tags
    || ',"sopClassUid":' || to_json(p_instance.sop_class)::text
    || ',"transferSyntaxUid":' || to_json(p_instance.transfer_syntax)::text
    || ',"sizeBytes":' || p_instance.size_bytes || ',' || string_agg(tags, ',')
    || ',"parents":{' || string_agg(parent, ',') || '}}'
  from (
    select '"' || lower(level_name(l.level)) || 'Tags":' || case when l.level = 0
        then coalesce((select s.patient_tags from lineage(p_instance.series) s where s.level = 1), l.tags)
        else l.tags end as tags,
      '"' || lower(level_name(l.level)) || '":' || to_json(l.public_id)::text as parent
    from lineage(p_instance.series) l) f
$$;

-- Null: the resource is gone, and the change is not about that.
create function facts_of(p_change change) returns text language plpgsql as $$
declare
  v_instance instance;
  v_facts text;
begin
  if p_change.type >= 8 then
    return p_change.event;
  elsif level_of_type(p_change.type) = 3 then
    select * into v_instance from instance where id = p_change.resource;
    if not found then
      return null;
    end if;
    v_facts := instance_facts(v_instance);
  else
    if not exists (select 1 from resource where id = p_change.resource) then
      return null;
    elsif p_change.event is not null then
      return p_change.event;
    end if;
    v_facts := family_facts(p_change.resource);
  end if;
  return coalesce(
    json_joined(v_facts, '{"origin":' || (select facts from origin where id = p_change.origin) || '}'), v_facts);
end
$$;
