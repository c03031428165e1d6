-- Scripts: the version in force, and what it wants to be told.

-- A name never seen starts at the end of the log; a version that is suspended stays so.
create function put_script(
  p_now bigint, p_name text, p_hash text, p_code text, p_source_map text, p_subscriptions text, p_every_ms bigint
) returns void language plpgsql as $$
declare
  v_now bigint := now_ms(p_now);
begin
  perform number_pending();
  insert into script_version values (p_hash, p_code, p_source_map, v_now) on conflict do nothing;
  insert into script as s (name, state, cursor, version, subscriptions)
  values (p_name, 'active', last_seq(), p_hash, p_subscriptions)
  on conflict (name) do update set
    state = case when s.state = 'suspended' and s.version = excluded.version then s.state else 'active' end,
    version = excluded.version, subscriptions = excluded.subscriptions;
  perform set_heartbeat(v_now, p_name, p_every_ms);
  perform hint('state');
end
$$;

-- Its runs stay, until their time is over. False: it is not parked, or not known.
create function forget_script(p_name text) returns boolean language plpgsql as $$
declare
  v_id bigint;
begin
  select id into v_id from script where name = p_name and state = 'parked' for update;
  if v_id is null then
    return false;
  end if;
  delete from delivery where script = v_id;
  delete from finished where script = v_id;
  delete from key_value where script = p_name;
  delete from script where id = v_id;
  perform hint('state');
  return true;
end
$$;
