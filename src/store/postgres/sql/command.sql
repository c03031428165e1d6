-- Commands that come by a broker, which delivers at least once: each is carried out once.

create function command(
  p_now bigint, p_id text, p_kind text, p_level integer, p_resource text, p_script text, p_callback text, p_kept_ms bigint
) returns text language plpgsql as $$
declare
  v_result text;
begin
  insert into command values (p_id, now_ms(p_now)) on conflict do nothing;
  if not found then
    return 'repeated';
  end if;
  v_result := case p_kind
    when 'settle' then command_settle(p_now, p_level, p_resource)
    when 'run' then command_run(p_now, p_level, p_resource, p_script, p_callback) end;
  if v_result <> 'done' then
    delete from command where id = p_id;
  end if;
  delete from command where id in (
    select id from command where at < now_ms(p_now) - p_kept_ms order by at limit 100 for update skip locked);
  return v_result;
end
$$;

create function command_settle(p_now bigint, p_level integer, p_resource text) returns text language plpgsql as $$
begin
  if not exists (select 1 from resource where level = p_level and public_id = p_resource) then
    return 'unknown-resource';
  end if;
  perform force_stable(p_now, p_level, p_resource);
  return 'done';
end
$$;

-- Tells a callback once more of the last time that a resource became stable.
create function command_run(p_now bigint, p_level integer, p_resource text, p_script text, p_callback text)
returns text language plpgsql as $$
declare
  v_script script;
  v_key text;
  v_resource bigint;
  v_change change;
begin
  select * into v_script from script where name = p_script;
  if not found then
    return 'unknown-script';
  end if;
  select key into v_key from subscriptions_of(v_script.subscriptions)
  where type = 4 + p_level and callback = p_callback;
  if not found then
    return 'unknown-callback';
  end if;
  select id into v_resource from resource where level = p_level and public_id = p_resource;
  if not found then
    return 'unknown-resource';
  end if;
  perform number_pending();
  select * into v_change from change where resource = v_resource and type between 4 and 6 and type = 4 + p_level
  order by seq desc limit 1;
  if not found then
    return 'nothing-to-tell';
  end if;
  perform lock_scripts(array[v_script.id]);
  update script set replay = replay + 1 where id = v_script.id returning * into v_script;
  perform owe_again(now_ms(p_now), v_script.id, p_callback, v_change.seq, delivery_key(v_key, v_change), v_script.replay, null);
  return 'done';
end
$$;
